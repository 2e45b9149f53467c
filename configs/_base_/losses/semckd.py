# Chen et al. 2021; networks and weight of the authors' code: CE + 400 x SemCKD (their scripts add KD, tau 4: add a kd
# entry for that). batch_size is that of one process.
semckd = dict(type='topkd.SemCKDLoss', batch_size=64, factor=4, loss_weight=400.0, student_tap='@maps')
