# Chen et al. 2021; warm-up of 20 epochs and post-activation maps of the student against pre-activation maps of the
# teacher as in mdistiller. The weight goes with the pair: 0.7 for ResNet56-ResNet20, 5 for ResNet32x4-ResNet8x4.
reviewkd = dict(
    type='topkd.ReviewKDLoss',
    warmup_epochs=20,
    loss_weight=0.7,
    student_tap=['@maps', '@pooled'],
    teacher_tap=['@pre_activation', '@pooled'],
)
