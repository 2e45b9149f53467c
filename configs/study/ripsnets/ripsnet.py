# The RipsNet of the paper, of the teacher's clouds alone; the study makes it in the same place.
_base_ = '../resnet32-resnet8_cifar100.py'

folder = 'work_dirs/study/ripsnet/resnet32-resnet8_cifar100'
model = dict(
    losses=dict(
        topology=dict(
            type='TopologyLoss',
            cloud=dict(type='BatchCloud', num_points=64),
            vectorizer=dict(type='RipsNet', checkpoint=f'{folder}/ripsnet/ripsnet.pth'),
        )
    )
)
