# Shu et al. 2021; tau 1 and the sum over channels divided by N C of the authors' code. It is a method for dense
# prediction: the weight 5 of its detection and segmentation settings is untuned for classification.
cwd = dict(type='topkd.CWDLoss', tau=1.0, loss_weight=5.0, student_tap='@last_map')
