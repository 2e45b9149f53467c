"""Static steps on the meta device, whose tensors have no values: whatever asks for one fails.

Topology takes the same way there as on a GPU.
"""

import contextlib

import pytest
import torch
from mmengine.optim import OptimWrapper
from small import batch, build, classifier

from topkd.graphs import StaticBatch, StaticStep, Watch
from topkd.models.distillers.member_gradients import MemberClip
from topkd.registry import MODELS

CLOUD = dict(type='BatchCloud', num_points=8)
TOPOLOGY = {
    'RipsNet': dict(vectorizer=dict(type='RipsNet', in_channels=32)),
    'exact': dict(vectorizer=dict(type='RipsImage', fit_batches=2)),
    'exact, normalized': dict(
        vectorizer=dict(type='RipsImage', fit_batches=2), cloud=dict(CLOUD, normalization='mean_distance')
    ),
    **{
        distance: dict(distance=distance)
        for distance in ('sorted_deaths', 'sliced_wasserstein', 'signature', 'rtd_lite')
    },
}
OTHERS = 'KD AT CATKD CC CWD DIST DKD FitNet NST OFD PKT RKD ReviewKD SP SRRL VID'.split()
LOSSES = {
    **{name: dict(type='TopologyLoss', **{'cloud': CLOUD, **arguments}) for name, arguments in TOPOLOGY.items()},
    **{name: dict(type=f'topkd.{name}Loss') for name in OTHERS},
}


@pytest.fixture(autouse=True)
def meta_has_no_autocast(monkeypatch):
    monkeypatch.setattr(torch, 'autocast', lambda *args, **kwargs: contextlib.nullcontext())


def cohort(losses):
    teacher = dict(name='small', model=classifier(8), checkpoint=None, fold=False, memory_format='contiguous')
    member = dict(student=classifier(4), losses=losses, probe_shape=(3, 32, 32))
    return build(dict(type='topkd.Cohort', teacher=teacher, members=dict(it=member))).train()


@pytest.mark.parametrize('name', ['plain', *LOSSES])
def test_the_host_asks_for_nothing(name, monkeypatch):
    model = cohort({} if name == 'plain' else dict(it=LOSSES[name]))
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1), clip_grad=dict(max_norm=1.0))
    for seed in range(3):
        model.train_step(batch(8, 32, seed=seed), wrapper)
    assert all(loss.phase() is not None for loss in model.members['it'].losses.values())
    data = model.data_preprocessor(batch(8, 32), True)
    model.to('meta')
    fixed = StaticBatch(data['inputs'].to('meta'), [sample.to('meta') for sample in data['data_samples']])
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1), clip_grad=dict(max_norm=1.0))
    MemberClip.install(wrapper, model.members)
    monkeypatch.setattr(StaticStep, '_update', lambda self, finite: None)  # fused steps know no meta tensors
    step = StaticStep(model, wrapper, fixed)
    scalars = step()
    assert scalars.device.type == 'meta' and scalars.shape == (len(step.keys),)
    assert {'it/loss', 'it/finite', 'grad_norm'} <= set(step.keys)


def test_every_loss_that_claims_to_be_capturable_is_looked_at():
    classes = {
        MODELS.get(name) for name in MODELS.module_dict if name.endswith('Loss') and 'topkd' in str(MODELS.get(name))
    }
    capturable = {kind.__name__ for kind in classes if getattr(kind, 'capturable', False)}
    assert capturable == {f'{name}Loss' for name in OTHERS} - {'DKDLoss', 'ReviewKDLoss'}


@pytest.mark.parametrize(
    'operation, name',
    [
        (lambda x: x.sum().item(), '_local_scalar_dense'),
        (lambda x: bool(x.max() > 0), 'is_nonzero'),
        (lambda x: x[x > 0], 'index'),
        (lambda x: x.clone().index_put_((x > 0,), torch.zeros(())), 'index_put_'),
        (lambda x: x.nonzero(), 'nonzero'),
        (lambda x: torch.equal(x, x), 'equal'),
        (lambda x: x.unique(), '_unique2'),
        (lambda x: x.masked_select(x > 0), 'masked_select'),
        (lambda x: x.to('meta'), '_to_copy'),
    ],
)
def test_what_waits_is_found(operation, name):
    with Watch() as watch:
        operation(torch.arange(4.0))
    assert name in watch.found or (name == 'is_nonzero' and watch.found)


def test_what_does_not_wait_is_not():
    with Watch() as watch:
        values = torch.arange(4.0)
        values[torch.tensor([0, 1])].sort().values.cumsum(0).where(values[:2] > 0, 0)
        values.to(torch.float64).copy_(values)
    assert watch.found == []
