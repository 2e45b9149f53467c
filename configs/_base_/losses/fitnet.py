# Romero et al. 2015; weight and hint layer 2 of the CRD benchmark (RepDistiller, mdistiller): CE + 100 x FitNet, no KD
# term.
fitnet = dict(type='topkd.FitNetLoss', loss_weight=100.0, student_tap='@maps[1]')
