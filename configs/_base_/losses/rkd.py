# Park et al. 2019; weights of the CRD benchmark (RepDistiller): CE + 25 x distances + 50 x angles, no KD term.
rkd = dict(type='topkd.RKDLoss', distance_weight=25.0, angle_weight=50.0, loss_weight=1.0)
