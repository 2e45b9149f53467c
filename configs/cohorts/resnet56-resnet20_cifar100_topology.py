_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/topkd.py']

# The topology terms side by side, at the weights of configs/topkd: no teacher, KD, the paper's, and what may act more.
kd, topkd = _base_.losses.kd, _base_.losses.topology
exact = dict(topkd, vectorizer=dict(topkd['vectorizer'], type='RipsImage'))
normalized = dict(exact, cloud=dict(exact['cloud'], normalization='mean_distance'))
sorted_deaths = dict(topkd, distance='sorted_deaths', loss_weight=0.1)

student = _base_.model.student
model = dict(
    _delete_=True,
    type='topkd.Cohort',
    teacher=_base_.model.teacher,
    members=dict(
        plain=dict(student=student, losses=dict()),
        KD=dict(student=student, losses=dict(kd=kd)),
        TopKD=dict(student=student, losses=dict(kd=kd, topology=topkd)),
        exact=dict(student=student, losses=dict(kd=kd, topology=exact)),
        normalized=dict(student=student, losses=dict(kd=kd, topology=normalized)),
        sorted_deaths=dict(student=student, losses=dict(kd=kd, topology=sorted_deaths)),
    ),
)
# on a GPU a whole step is one launch; elsewhere a line in the log says that it is not
custom_hooks = [*_base_.custom_hooks, dict(type='topkd.CudaGraphHook')]
