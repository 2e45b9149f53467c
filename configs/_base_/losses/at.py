# Zagoruyko and Komodakis 2017; weight of the CRD benchmark (RepDistiller, mdistiller): CE + 1000 x AT, no KD term.
at = dict(type='topkd.ATLoss', p=2, loss_weight=1000.0, student_tap='@maps')
