# Peng et al. 2019 in the form of the CRD benchmark (RepDistiller): CE + 0.02 x CC of embeddings of width 128, no KD
# term.
cc = dict(type='topkd.CCLoss', embedding=128, loss_weight=0.02)
