# Hinton et al. 2015. The CRD benchmark (RepDistiller) trains with 0.1 CE + 0.9 KD, tau 4: add student_loss_weight=0.1
# to the model for its rows. The paper of this project uses CE + beta KD, see topkd.py.
kd = dict(type='topkd.KDLoss', tau=4.0, loss_weight=0.9)
