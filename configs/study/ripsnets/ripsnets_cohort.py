# How far RipsNets are from exact images on students that none of them has seen, over a training; each also teaches one.
# Needs the four RipsNets of this folder.
_base_ = '../resnet32-resnet8_cifar100.py'

folder = 'work_dirs/study/ripsnet/resnet32-resnet8_cifar100'
ripsnets = dict(
    scales=f'{folder}/ripsnet_scales/ripsnet.pth',
    students=f'{folder}/ripsnet_students/ripsnet.pth',
    both=f'{folder}/ripsnet_both/ripsnet.pth',
)

kd = dict(type='topkd.KDLoss', tau=4.0, loss_weight=3.0)
cloud = dict(type='BatchCloud', num_points=64)
own = dict(type='RipsNet', checkpoint=f'{folder}/ripsnet/ripsnet.pth')
paper = dict(type='TopologyLoss', cloud=cloud, vectorizer=own, loss_weight=5.0)
# exact images, and all RipsNets that are near to them, at the weight that the study chose for them
exact = dict(type='TopologyLoss', cloud=cloud, vectorizer=dict(type='RipsImage'), loss_weight=20.0)
sorted_deaths = dict(type='TopologyLoss', cloud=cloud, distance='sorted_deaths', loss_weight=0.4)
terms = dict(
    RipsNet=paper,
    **{name: dict(exact, vectorizer=dict(type='RipsNet', checkpoint=path)) for name, path in ripsnets.items()},
    exact=exact,
    sorted_deaths=sorted_deaths,
    PKT=dict(type='topkd.PKTLoss', loss_weight=3e4),
)
student = _base_.model.student
members = {name: dict(student=student, losses=dict(kd=kd, term=term)) for name, term in terms.items()}
model = dict(
    _delete_=True,
    type='topkd.Cohort',
    teacher=_base_.model.teacher,
    members=dict(CE=dict(student=student, losses=dict()), KD=dict(student=student, losses=dict(kd=kd)), **members),
)
custom_hooks = [*_base_.custom_hooks, dict(type='topkd.CloudRecordHook', ripsnet=own['checkpoint'], others=ripsnets)]
randomness = dict(seed=9)
