# KD on the class scores and topology on the feature pyramid of one-stage detectors with five levels (RetinaNet, GFL,
# ATSS, FCOS). The paper has two-stage detectors only: the weight of topology is theirs, untuned; KD's stands in
# kd_dense.py.
_base_ = ['./topkd_detection.py', './kd_dense.py']

losses = dict(
    kd=dict(_base_.kd, _delete_=True),
    # the levels that the head reads, each with the same weight; every choice of topkd_detection.py works here, too
    topology=dict(student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]', 'neck[4]']),
)
