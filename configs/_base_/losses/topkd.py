# KD and topology as in the paper; the weights are those of ResNet56-ResNet20.
losses = dict(
    kd=dict(type='KDLoss', tau=4.0, loss_weight=2.0),
    topology=dict(
        type='TopologyLoss',
        loss_weight=5.0,
        student_tap='neck[0]',
        teacher_tap='neck[0]',
        cloud=dict(type='BatchCloud', num_points=64),
        vectorizer=dict(type='RipsNet', homology_dims=(0,), resolution=(20, 20)),
    ),
)

# What RipsNet learns from (tools/gen_pi.py) and how (tools/train_ripsnet.py).
clouds = dict(num_clouds=200_000, seed=0)
ripsnet = dict(operators=('mean', 'sum'), lr=5e-4, batch_size=64, max_epochs=25_000, patience=50)

distillation_hooks = [
    dict(type='topkd.TeacherEvaluationHook'),
    dict(type='topkd.StudentCheckpointHook'),
    dict(type='topkd.ResultHook', monitor='accuracy/top1'),
]
