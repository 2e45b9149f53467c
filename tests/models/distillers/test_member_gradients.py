"""Processes agree on the members that are stopped."""

import pytest
import torch
from distributed import run
from mmengine.optim import OptimWrapper
from small import batch, build, classifier

from topkd.models.distillers.member_gradients import anywhere

KD = dict(kd=dict(type='KDLoss', tau=4.0))


def broken_in_one_process(rank: int) -> None:
    torch.manual_seed(0)
    members = {name: dict(student=classifier(4), losses=KD, probe_shape=(3, 16, 16)) for name in ('a', 'b')}
    teacher = dict(name='small', model=classifier(8), checkpoint=None)
    model = build(dict(type='topkd.Cohort', teacher=teacher, members=members)).train()
    if rank == 1:
        with torch.no_grad():
            model.members['b'].student.head.fc.weight.fill_(float('nan'))
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    for step in range(2):
        model.train_step(batch(seed=2 * step + rank), wrapper)  # would wait for ever for the gradients of 'b'
    assert model.active == ['a'] and model.stopped.tolist() == [False, True]
    assert all(parameter.grad is None for parameter in model.members['b'].parameters())


@pytest.mark.filterwarnings('ignore')
def test_a_member_that_diverges_in_one_process_is_stopped_in_all():
    run(broken_in_one_process)


def test_one_process_asks_nobody():
    assert anywhere({'c', 'a'}, ['a', 'b', 'c'], torch.device('cpu')) == ['a', 'c']
    assert anywhere([], ['a'], torch.device('cpu')) == []
