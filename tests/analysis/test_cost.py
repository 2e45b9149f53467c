"""The paper's operation counts to the digit, counters of two frameworks, and times on a clock that is ours."""

import copy
import math
import time

import gudhi
import numpy as np
import pytest
import torch
from mmengine.analysis import get_model_complexity_info
from torch.utils.flop_counter import FlopCounterMode

from topkd.analysis.cost import measure as module
from topkd.analysis.cost.measure import PAPER_SIZES, CloudSize, measure_cost, ripsnet_flops, scaled, training_step
from topkd.analysis.cost.released_route import ReleasedRoute, released_diagrams
from topkd.analysis.cost.route_times import device_name, measure_times
from topkd.models import RipsNet

# Table 13: points, width, operations by hand, what the paper prints, parameters by hand
CASES = [
    (
        64,
        64,
        2 * (64 * (64 * 64 + 64 * 32 + 32 * 32) + (32 * 50 + 50 * 100 + 100 * 200 + 200 * 400)),
        '1.131 M',
        64 * 64 + 64 + 64 * 32 + 32 + 32 * 32 + 32 + 32 * 50 + 50 * 100 + 100 * 200 + 200 * 400,
    ),
    (
        256,
        512,
        2 * (256 * (512 * 512 + 512 * 256 + 256 * 256) + (256 * 50 + 50 * 100 + 100 * 200 + 200 * 400)),
        '235.1 M',
        512 * 512 + 512 + 512 * 256 + 256 + 256 * 256 + 256 + 256 * 50 + 50 * 100 + 100 * 200 + 200 * 400,
    ),
]


@pytest.mark.parametrize('points, width, operations, printed, parameters', CASES)
def test_operations_and_parameters_are_the_papers(points, width, operations, printed, parameters):
    network = RipsNet(width)
    assert ripsnet_flops(network, points) == operations
    assert scaled(operations) == printed
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_the_two_counts_as_numbers():
    assert [case[2] for case in CASES] == [1_130_704, 235_116_624]
    assert CASES[0][4] == 113_896
    assert [scaled(size.paper['flops']) for size in PAPER_SIZES] == [case[3] for case in CASES]
    assert [(size.num_points, size.width) for size in PAPER_SIZES] == [case[:2] for case in CASES]


@pytest.mark.parametrize('operator', ['mean', 'sum'])
@pytest.mark.parametrize('points, width', [(64, 64), (256, 512), (8, 256)])
def test_operations_agree_with_the_counters_of_torch_and_mmengine(points, width, operator):
    network = RipsNet(width, operator).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, points, width))
    assert counter.get_total_flops() == ripsnet_flops(network, points)
    # mmengine counts a multiply-add as one, and wants the shape without the batch
    assert 2 * get_model_complexity_info(network, (points, width), show_table=False, show_arch=False)[
        'flops'
    ] == ripsnet_flops(network, points)


@pytest.mark.parametrize('value, words', [(999, '999.0'), (1e3, '1.000 k'), (1_130_704, '1.131 M'), (2.5e9, '2.500 G')])
def test_counts_are_written_with_four_digits(value, words):
    assert scaled(value) == words


def test_routes_take_turns_and_their_times_are_means_of_a_turn(monkeypatch):
    clock, calls = [0.0], []
    monkeypatch.setattr(time, 'perf_counter', lambda: clock[0])

    def route(name: str, milliseconds: list):

        def run(points):
            calls.append((name, points.item()))
            clock[0] += milliseconds[sum(call[0] == name for call in calls) % len(milliseconds)] / 1000

        return run

    # a turn of 'fast' ends with the third call, one of 'slow' with the first
    times = measure_times(
        dict(fast=route('fast', [20]), slow=route('slow', [70, 80])), [torch.tensor(i) for i in range(3)], 3
    )
    assert times['fast'] == pytest.approx([20, 20, 20])
    assert times['slow'] == pytest.approx([80, 70, 80])
    assert [name for name, _ in calls] == ['fast', 'fast', 'fast', 'slow'] * 5
    assert [number for _, number in calls] == [index % 3 for index in range(20)]


def test_cost_of_a_size(monkeypatch):
    monkeypatch.setattr('topkd.analysis.cost.route_times.SECONDS_A_TURN', 0.0)
    state = torch.get_rng_state()
    result = measure_cost(CloudSize('small', 8, 16), batch_sizes=(1, 4), repeats=2)
    assert torch.equal(torch.get_rng_state(), state)
    assert result['units'] == [16, 16, 16, 16, 50, 100, 200, 400]
    assert result['flops'] == 2 * (8 * 3 * 256 + 16 * 50 + 105_000) and result['parameters'] == 3 * 272 + 800 + 105_000
    # the exact image and the released route, which measure the same thing, agree
    assert result['difference'] < 1e-5
    assert list(result['ms']) == ['RipsNet', 'exact image', 'gudhi, released route']
    for route, times in result['ms'].items():
        assert list(times) == ['1', '4']
        for count, value in times.items():
            assert 0 < result['ms_least'][route][count] <= value <= result['ms_greatest'][route][count]
    assert result['training_step_ms'] > 0


def test_times_are_of_an_image_and_not_of_a_call(monkeypatch):
    monkeypatch.setattr(
        module, 'measure_times', lambda routes, batches, repeats: {name: [8.0, 4.0, 2.0] for name in routes}
    )
    result = measure_cost(CloudSize('small', 8, 16), batch_sizes=(1, 4))
    assert result['ms']['RipsNet'] == {'1': 4.0, '4': 1.0} and result['training_step_ms'] == 4.0
    assert result['ms_least']['RipsNet']['4'] == 0.5 and result['ms_greatest']['exact image']['4'] == 2.0


def test_a_step_of_training_is_adamax_towards_black():
    torch.manual_seed(0)
    network, points = RipsNet(16), torch.randn(4, 8, 16)
    twin = copy.deepcopy(network)
    training_step(network)(points)
    optimizer = torch.optim.Adamax(twin.parameters(), lr=5e-4)
    twin(points).square().mean().backward()
    optimizer.step()
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(network.parameters(), twin.parameters()))


def test_released_route_is_the_formula_on_gudhis_diagram():
    cloud = np.random.default_rng(0).normal(size=(1, 12, 3))
    spec = dict(bandwidth=0.4, im_range=[0.0, 1.5, 0.1, 2.0], scale=7.0, resolution=[4, 5])
    tree = gudhi.RipsComplex(points=cloud[0]).create_simplex_tree(max_dimension=2)
    pairs = [pair for dim, pair in tree.persistence() if dim in (0, 1) and math.isfinite(pair[1])]
    diagram = released_diagrams(cloud, (0, 1))[0]
    assert np.array(sorted(map(tuple, diagram))) == pytest.approx(np.array(sorted(pairs))) and len(pairs) > 11
    image = np.zeros((5, 4))
    for birth, death in pairs:
        weight = 10 * math.tanh(death - birth) + 10 * math.log(100 * birth + 1)
        for row, y in enumerate(np.linspace(0.1, 2.0, 5)):
            for column, x in enumerate(np.linspace(0.0, 1.5, 4)):
                distance = (birth - x) ** 2 + (death - birth - y) ** 2
                image[row, column] += weight * math.exp(-distance / (2 * 0.4**2)) / (2 * math.pi * 0.4**2)
    got = ReleasedRoute(spec, (0, 1))(torch.from_numpy(cloud))
    assert got == pytest.approx(image.reshape(1, -1) / 7.0, rel=1e-6)


@pytest.mark.parametrize('device', ['foo', 'meta', 'cuda:99'])
def test_a_device_that_is_not_there(device):
    with pytest.raises(
        ValueError, match=f"device '{device}' cannot be used .*: name cpu, or cuda on a machine with a GPU"
    ) as error:
        device_name(device)
    assert len(str(error.value).splitlines()) == 1
