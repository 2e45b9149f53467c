# Tung and Mori 2019; weight of the CRD benchmark (RepDistiller): CE + 3000 x SP on the last stage, no KD term.
sp = dict(type='topkd.SPLoss', loss_weight=3000.0, student_tap='@last_map')
