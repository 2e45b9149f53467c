# KD on the box classifier and topology on the feature pyramid, with the weights of the paper's Appendix C.1.
losses = dict(
    kd=dict(
        type='KDLoss',
        tau=1.0,  # The paper names none; 1 compares the class scores that the detector itself is trained on.
        loss_weight=1.2,
        student_tap='roi_head.bbox_head.fc_cls',
        teacher_tap='roi_head.bbox_head.fc_cls',
    ),
    topology=dict(
        type='TopologyLoss',
        loss_weight=1.0,
        # The levels that enter, of both networks (this one entry decides). An image's point is the mean over the levels
        # of its pooled features. Default: the four that the RoI head reads, each with the same weight, because they
        # are the backbone's whole output; the fifth, neck[4], is only a subsampled neck[3]. Another choice is
        # 'neck[3]' alone, the last stage, which is what the classification pairs pool.
        student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]'],
        # Clouds of 8 images, gathered from all processes: 8 GPUs with 1 image each are 1 GPU with 8. Padding stays out,
        # so that an image's point depends neither on its neighbors in the batch nor on how the batch is shared.
        # Beyond the paper, each with either vectorizer:
        #   cloud=dict(_delete_=True, type='SpatialCloud', grid=8) with student_tap='neck[3]': an image is a cloud
        #   cloud=dict(_delete_=True, type='RoICloud', num_points=16): annotated objects are the points
        cloud=dict(type='BatchCloud', num_points=8, gather=True, ignore_padding=True),
        vectorizer=dict(type='RipsNet', homology_dims=(0,), resolution=(20, 20)),
    ),
)

# What RipsNet learns from (tools/gen_pi.py) and how (tools/train_ripsnet.py).
clouds = dict(num_clouds=20_000, seed=0)
ripsnet = dict(operators=('mean', 'sum'), lr=5e-4, batch_size=64, max_epochs=25_000, patience=50)

# topkd.TeacherEvaluationHook, which measures the teacher on the validation set first, takes long on COCO: add it at
# will
distillation_hooks = [
    dict(type='topkd.CategoryCheckHook'),
    dict(type='topkd.StudentCheckpointHook'),
    dict(type='topkd.ResultHook', monitor='coco/bbox_mAP'),
]
