# Wang et al. 2019; threshold and weight of the authors' code, untuned on a pyramid (see fgfi_detection.py). Needs
# anchors: RetinaNet, GFL and ATSS have them, YOLOX and FCOS have none.
fgfi = dict(type='topkd.FGFILoss', threshold=0.5, loss_weight=0.01, student_tap='@pyramid')
