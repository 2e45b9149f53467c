# Huang and Wang 2017; weight of the CRD benchmark (RepDistiller, mdistiller): CE + 50 x NST, no KD term.
nst = dict(type='topkd.NSTLoss', loss_weight=50.0, student_tap='@maps')
