# Tian et al. 2020; constants and weight of the CRD benchmark (RepDistiller): CE + 0.8 x CRD, no KD term.
crd = dict(type='topkd.CRDLoss', embedding=128, num_negatives=16_384, temperature=0.07, momentum=0.5, loss_weight=0.8)
