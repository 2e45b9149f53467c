# Chen et al. 2022; weight and factor of the authors' code: 1 x SimKD alone, without CE and without KD.
# The student gets a projector and the teacher's classifier, which the exported student keeps. In a config of a pair,
# with the teacher's width, and CE switched off by the weight of the head's own loss:
#   student = dict(
#       _base_.model,
#       neck=dict(type='topkd.SimKDProjector', in_channels=64, out_channels=64),
#       head=dict(
#           type='topkd.TeacherClassifierHead',
#           num_classes=100,
#           in_channels=64,
#           checkpoint=_base_.teacher.checkpoint,
#           loss=dict(type='CrossEntropyLoss', loss_weight=0.0),
#       ),
#   )
losses = dict(simkd=dict(type='topkd.SimKDLoss', loss_weight=1.0))
