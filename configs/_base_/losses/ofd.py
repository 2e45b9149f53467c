# Heo et al. 2019; weight as in mdistiller and the authors' code (1e-3, batch mean): CE + 0.001 x OFD, no KD term.
ofd = dict(type='topkd.OFDLoss', loss_weight=0.001, student_tap='@pre_activation')
