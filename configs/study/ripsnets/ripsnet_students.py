# A RipsNet that learns from students' clouds too: those of resnet32-resnet8_cifar100_kd.py after seven of its epochs.
_base_ = './ripsnet.py'

checkpoint = f'{_base_.folder}/ripsnet_students/ripsnet.pth'
model = dict(losses=dict(topology=dict(vectorizer=dict(checkpoint=checkpoint))))
clouds = dict(
    students=[f'work_dirs/resnet32-resnet8_cifar100_kd/epoch_{epoch}.pth' for epoch in (1, 2, 3, 5, 10, 20, 30)]
)
