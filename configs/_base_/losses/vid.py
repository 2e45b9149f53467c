# Ahn et al. 2019; constants and weight of the CRD benchmark (RepDistiller, mdistiller): CE + 1 x VID, no KD term.
vid = dict(type='topkd.VIDLoss', initial_variance=5.0, eps=1e-5, loss_weight=1.0, student_tap='@maps')
