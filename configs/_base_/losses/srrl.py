# Yang et al. 2021; weights as in the authors' code (and SimKD's): CE + 1 x (features + logits). SimKD's code, which is
# where CIFAR-100 figures of SRRL on these pairs come from, adds 1 x KD (tau 4); add a kd entry for that.
srrl = dict(type='topkd.SRRLLoss', loss_weight=1.0)
