"""Warm-up, capture and replay of a cohort's steps: the same training as without a graph, bit for bit."""

import contextlib
import copy

import pytest
import torch
from fake_graphs import FakeGraphs
from mmengine.optim import OptimWrapper
from small import batch, build, classifier
from torch import nn

from topkd.graphs import CudaGraphs, GraphedStep
from topkd.graphs.requirements import obstacle, use_fused_step
from topkd.models.losses.distillation_loss import DistillationLoss

KD = dict(kd=dict(type='KDLoss', tau=4.0, loss_weight=2.0))
DKD = dict(dkd=dict(type='topkd.DKDLoss', warmup_epochs=0))
DEATHS = dict(
    KD, topology=dict(type='TopologyLoss', cloud=dict(type='BatchCloud', num_points=8), distance='sorted_deaths')
)
MEMBERS = dict(plain={}, KD=KD, DKD=DKD)
OPTIMIZERS = dict(
    sgd=lambda parameters: torch.optim.SGD(parameters, lr=0.125, momentum=0.9, weight_decay=1e-3, fused=True),
    adamw=lambda parameters: torch.optim.AdamW(parameters, lr=0.015625, weight_decay=0.1, fused=True),
)


def cohort(gradient_interval: int = 0, student: dict | None = None, **members):
    torch.manual_seed(0)
    teacher = dict(name='small', model=classifier(8), checkpoint=None, memory_format='contiguous')
    own = dict(probe_shape=(3, 16, 16), gradient_interval=gradient_interval)
    configs = {
        name: dict(student=student or classifier(4), losses=losses, **own)
        for name, losses in (members or MEMBERS).items()
    }
    return build(dict(type='topkd.Cohort', teacher=teacher, members=configs)).train()


def wrapped(model, kind: str = 'sgd', **arguments) -> OptimWrapper:
    return OptimWrapper(OPTIMIZERS[kind](model.parameters()), **arguments)


def graphed(model, wrapper, backend=None) -> FakeGraphs:
    use_fused_step(wrapper.optimizer)
    backend = backend or FakeGraphs()
    model.step = GraphedStep(model, backend)
    return backend


def train(model, wrapper, sizes=(8,) * 8, rates=None) -> list[dict]:
    """Take steps of these batch sizes and learning rates; return the logs as numbers."""
    logs = []
    for number, size in enumerate(sizes):
        if rates is not None:
            wrapper.optimizer.param_groups[0]['lr'] = rates[number]
        torch.manual_seed(number)
        found = model.train_step(batch(size, seed=number), wrapper)
        logs.append({key: float(torch.as_tensor(value).detach()) for key, value in found.items()})
    return logs


def equal(model, other) -> bool:
    expected = other.state_dict()
    return all(torch.equal(value, expected[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize('kind', list(OPTIMIZERS))
@pytest.mark.parametrize('arguments', [{}, dict(clip_grad=dict(max_norm=0.5))])
def test_replayed_steps_equal_eager_ones(kind, arguments):
    # numbers of single precision, in which the graph holds them
    rates = [0.125, 0.125, 0.0625, 0.0625, 0.03125, 0.015625, 0.015625, 0.0078125]
    eager, model = cohort(), cohort()
    wrapper, other = wrapped(model, kind, **arguments), wrapped(eager, kind, **arguments)
    backend = graphed(model, wrapper)
    assert train(model, wrapper, rates=rates) == train(eager, other, rates=rates)
    assert equal(model, eager)
    assert backend.seen == ['aside'] * 3 + ['capture'] + ['replay'] * 4  # the first step was eager
    assert wrapper._inner_count == other._inner_count == 8
    assert wrapper.optimizer.param_groups[0]['lr'] == rates[-1]  # a number, as schedulers want it
    assert all(parameter.grad is None for parameter in model.parameters())  # nothing of it in a checkpoint


@pytest.mark.parametrize(
    'sizes, replays',
    [((8, 8, 8, 8, 8, 5, 8, 8), 3), ((8, 5, 8, 8, 8, 8, 5, 8), 2)],
    ids=['the graph goes on behind it', 'a short second batch does not decide the shape'],
)
def test_an_uneven_batch_runs_eagerly(sizes, replays):
    eager, model = cohort(), cohort()
    wrapper = wrapped(model)
    backend = graphed(model, wrapper)
    assert train(model, wrapper, sizes) == train(eager, wrapped(eager), sizes) and equal(model, eager)
    assert backend.seen == ['aside'] * 3 + ['capture'] + ['replay'] * replays


def test_steps_that_measure_gradients_run_eagerly():
    eager, model = cohort(gradient_interval=3), cohort(gradient_interval=3)
    wrapper = wrapped(model)
    backend = graphed(model, wrapper)
    sizes = (8,) * 12
    logs = train(model, wrapper, sizes)
    assert logs == train(eager, wrapped(eager), sizes) and equal(model, eager)
    assert [number for number, log in enumerate(logs) if 'KD/gradient_ratio_kd' in log] == [0, 3, 6, 9]
    assert backend.seen.count('replay') == 5


def test_a_loss_that_fits_its_images_is_captured_when_it_has(caplog):
    exact = dict(type='TopologyLoss', cloud=dict(type='BatchCloud', num_points=8), vectorizer=dict(type='RipsImage'))
    exact['vectorizer']['fit_batches'] = 4
    members = dict(plain={}, exact=dict(KD, topology=exact), deaths=DEATHS)
    eager, model = cohort(**members), cohort(**members)
    wrapper = wrapped(model)
    backend = graphed(model, wrapper)
    sizes = (8,) * 12
    assert train(model, wrapper, sizes) == train(eager, wrapped(eager), sizes) and equal(model, eager)
    # four batches are fitted, the fifth sees that this is over
    assert backend.seen == ['aside'] * 3 + ['capture'] + ['replay'] * 4


def test_a_member_that_diverges_keeps_its_weights_and_the_others_are_captured_anew():
    eager, model = cohort(), cohort()
    wrapper, other = wrapped(model), wrapped(eager)
    backend = graphed(model, wrapper)
    train(model, wrapper, (8,) * 6)
    train(eager, other, (8,) * 6)
    for one in (model, eager):
        with torch.no_grad():
            one.members['KD'].student.head.fc.bias.fill_(float('nan'))
    kept = copy.deepcopy(dict(model.members['KD'].named_parameters()))
    sizes = (8,) * 7
    assert train(model, wrapper, sizes) == train(eager, other, sizes)
    assert model.active == eager.active == ['plain', 'DKD'] and backend.seen.count('capture') == 2
    for name in model.active:
        assert equal(model.members[name], eager.members[name])
    weights = dict(model.members['KD'].named_parameters())
    assert all(torch.equal(weights[name], value) for name, value in kept.items() if name != 'student.head.fc.bias')


def test_a_schedule_of_other_numbers_makes_another_graph_or_none(said):
    eager, model = cohort(), cohort()
    wrapper, other = wrapped(model), wrapped(eager)
    backend = graphed(model, wrapper)
    for rounds, decay in ((15, 1e-3), (6, 1e-2), (3, 1e-1)):
        for one in (wrapper, other):
            one.optimizer.param_groups[0]['weight_decay'] = decay
        train(model, wrapper, (8,) * rounds)
        train(eager, other, (8,) * rounds)
        assert equal(model, eager)
    # the second graph was replayed three times only
    assert backend.seen.count('capture') == 2 and said() == [
        'steps run eagerly, no graph is captured: what a step holds as numbers changes after a few steps'
    ]


class Waits(DistillationLoss):
    """A loss that claims to be capturable and is not."""

    capturable = True

    def __init__(self):
        super().__init__('head.fc', 'head.fc', 1.0)

    def forward(self, student, teacher, data_samples=None):
        return student.mean() * float(teacher.detach().mean() > 0)


class Noisy(nn.Module):
    def forward(self, features):
        return features + 0 * torch.rand(()) if self.training else features


class Reads(DistillationLoss):
    """A loss that does not say what its steps have in common."""

    def __init__(self):
        super().__init__('head.fc', 'head.fc', 1.0)

    def forward(self, student, teacher, data_samples=None):
        return student.mean()


@pytest.fixture
def said(monkeypatch):
    """Return a function that lists what the graphed step has said of falling back."""
    lines: list[str] = []
    monkeypatch.setattr('topkd.graphs.graphed_step.print_log', lambda text, *args: lines.append(text))
    return lambda: [line for line in lines if 'eagerly' in line]


@pytest.mark.parametrize('what', ['waits', 'noise', 'reads', 'refused'])
def test_what_cannot_be_captured_runs_eagerly_and_says_so_once(what, said):
    models = [cohort(), cohort()]
    for model in models:
        if what == 'waits':
            model.members['KD'].losses['waits'] = Waits()
        if what == 'noise':
            model.members['KD'].student.backbone.stem.add_module('noise', Noisy())
            model.members['KD'].student.backbone.stem.relu = nn.Sequential(nn.ReLU(), Noisy())
            model.members['KD'].student.backbone.stem.register_forward_hook(lambda m, args, out: Noisy()(out))
        if what == 'reads':
            model.members['KD'].losses['reads'] = Reads()
    model, eager = models
    wrapper = wrapped(model)
    backend = graphed(model, wrapper, FakeGraphs('operation not permitted when stream is capturing\nmore'))
    assert train(model, wrapper, (8,) * 6) == train(eager, wrapped(eager), (8,) * 6)
    assert equal(model, eager) and 'replay' not in backend.seen
    expected = dict(
        waits='no graph is captured: the host waits for the device in _local_scalar_dense',
        noise='no graph is captured: a member draws random numbers, which a graph would not draw alike for every member',
        reads="as long as loss 'reads' of member 'KD' needs the host",
        refused='no graph is captured: operation not permitted when stream is capturing',
    )[what]
    (line,) = said()
    assert line.endswith(expected)


def test_obstacles():
    model = cohort()
    assert obstacle(model, wrapped(model)) is None
    assert obstacle(model, wrapped(model, accumulative_counts=2)).startswith('gradients are accumulated over 2 steps')
    adagrad = OptimWrapper(torch.optim.Adagrad(model.parameters()))
    assert obstacle(model, adagrad).startswith('Adagrad is none of SGD, Adam and AdamW')
    assert obstacle(model.members['KD'], None).startswith('the model is a Distiller: one static step is made of a')
    assert obstacle(model, object()).startswith('the optimizer wrapper is a object: a graph holds')
    cached = build(
        dict(
            type='topkd.Cohort',
            teacher=dict(name='small', model=classifier(8), checkpoint=None, cache_outputs=True),
            members=dict(plain=dict(student=classifier(4), losses={}, probe_shape=(3, 16, 16))),
        )
    )
    assert obstacle(cached, wrapped(cached)).startswith("the teacher's outputs are cached")


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device here')
def test_a_captured_step_trains_as_an_eager_one():
    eager, model = cohort().cuda(), cohort().cuda()
    wrapper, other = wrapped(model), wrapped(eager)
    use_fused_step(wrapper.optimizer)
    model.step = graphed_step = GraphedStep(model, CudaGraphs(torch.device('cuda', torch.cuda.current_device())))
    ours, theirs = train(model, wrapper, (8,) * 12), train(eager, other, (8,) * 12)
    assert graphed_step.replays == 8
    assert all(
        log[key] == pytest.approx(value, rel=1e-2) for log, own in zip(theirs, ours) for key, value in own.items()
    )


def test_cuda_graphs_capture_between_streams(monkeypatch):
    """The order in which torch is asked, on a machine that has no GPU to ask."""
    calls = []

    class Stream:
        def __init__(self, name):
            self.name = name

        def wait_stream(self, other):
            calls.append(f'{self.name} waits for {other.name}')

    class Graph:
        def replay(self):
            calls.append('replay')

    @contextlib.contextmanager
    def within(what, *args, **kwargs):
        name = what.name if isinstance(what, Stream) else f'graph {kwargs["capture_error_mode"]}'
        calls.append(f'enter {name}')
        yield
        calls.append('leave')

    monkeypatch.setattr(torch.cuda, 'current_stream', lambda device: Stream('current'))
    monkeypatch.setattr(torch.cuda, 'Stream', lambda device: Stream('side'))
    monkeypatch.setattr(torch.cuda, 'CUDAGraph', Graph)
    monkeypatch.setattr(torch.cuda, 'stream', within)
    monkeypatch.setattr(torch.cuda, 'graph', within)

    def step():
        calls.append('step')
        return torch.ones(())

    backend = CudaGraphs(torch.device('cuda', 0))
    backend.aside(step)
    assert calls == ['side waits for current', 'enter side', 'step', 'leave', 'current waits for side']
    calls.clear()
    replay = backend.capture(step)
    assert calls == ['enter graph thread_local', 'step', 'leave']
    assert replay() == replay() == 1 and calls[3:] == ['replay', 'replay']  # nothing of Python in it
