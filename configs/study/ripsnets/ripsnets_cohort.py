# How far RipsNets are from exact images on students that none of them has seen, over a training; each also teaches one.
# Needs the four RipsNets of this folder.
_base_ = './ripsnet.py'

folder, term = _base_.folder, _base_.model.losses.topology
ripsnets = dict(
    scales=f'{folder}/ripsnet_scales/ripsnet.pth',
    students=f'{folder}/ripsnet_students/ripsnet.pth',
    both=f'{folder}/ripsnet_both/ripsnet.pth',
)

kd = dict(type='topkd.KDLoss', tau=4.0, loss_weight=3.0)
paper = dict(term, loss_weight=5.0)
# exact images, and all RipsNets that are near to them, at the weight that the study chose for them
exact = dict(term, vectorizer=dict(type='RipsImage'), loss_weight=20.0)
sorted_deaths = dict(type='TopologyLoss', cloud=term['cloud'], distance='sorted_deaths', loss_weight=0.4)
terms = dict(
    RipsNet=paper,
    **{name: dict(exact, vectorizer=dict(type='RipsNet', checkpoint=path)) for name, path in ripsnets.items()},
    exact=exact,
    sorted_deaths=sorted_deaths,
    PKT=dict(type='topkd.PKTLoss', loss_weight=3e4),
)
student = _base_.model.student
members = {name: dict(student=student, losses=dict(kd=kd, term=loss)) for name, loss in terms.items()}
model = dict(
    _delete_=True,
    type='topkd.Cohort',
    teacher=_base_.model.teacher,
    members=dict(CE=dict(student=student, losses=dict()), KD=dict(student=student, losses=dict(kd=kd)), **members),
)
custom_hooks = [
    *_base_.custom_hooks,
    dict(type='topkd.CloudRecordHook', ripsnet=term['vectorizer']['checkpoint'], others=ripsnets),
]
randomness = dict(seed=9)
