# Romero et al. 2015 on the pyramid of a one-stage detector; the weight is untuned.
fitnet = dict(type='topkd.FitNetLoss', loss_weight=1.0, student_tap='@pyramid')
