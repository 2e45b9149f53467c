# Romero et al. 2015 on the pyramid; the weight is untuned (the CRD benchmark's 100 is for classification).
fitnet = dict(type='topkd.FitNetLoss', loss_weight=1.0, student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]'])
