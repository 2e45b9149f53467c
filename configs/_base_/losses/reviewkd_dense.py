# Chen et al. 2021 on the pyramid of a one-stage detector, no warm-up; the default weight 1 of the authors' detectors.
reviewkd = dict(type='topkd.ReviewKDLoss', warmup_epochs=0, loss_weight=1.0, student_tap='@pyramid')
