"""Bottleneck distances against hand-derived cases and all matchings of tiny diagrams; clouds of teacher and students."""

from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.cluster.hierarchy import linkage
from small import batch, build, distiller
from torch.utils._python_dispatch import TorchDispatchMode

from topkd.analysis.bottleneck.diagrams import SCALES, ScaledDiagrams, collect_diagrams
from topkd.analysis.bottleneck.distances import (
    OTHER_IMAGES,
    Distances,
    bottleneck_distances,
    distance_caps,
    distances_to_teacher,
)
from topkd.analysis.trained_students import TrainedStudents


def trained(model, **students) -> TrainedStudents:
    """Return a distiller and some students as its topology loss sees them."""
    return TrainedStudents(model, students, model.losses.topology)


def over_all_matchings(first: np.ndarray, second: np.ndarray) -> float:
    """Try every matching of the points of two diagrams, each with a point of the other or with the diagonal."""
    size = len(first) + len(second)
    costs = np.zeros((size, size))
    for row, one in enumerate(first):
        for column in range(size):
            costs[row, column] = np.abs(one - second[column]).max() if column < len(second) else (one[1] - one[0]) / 2
    for column, two in enumerate(second):
        costs[len(first) :, column] = (two[1] - two[0]) / 2
    return min(
        max([costs[row, column] for row, column in enumerate(order)], default=0) for order in permutations(range(size))
    )


@pytest.mark.parametrize(
    'first, second, expected',
    [
        ([[0, 4]], [[0, 3]], 1.0),  # with each other
        ([[0, 4]], [[0, 1]], 2.0),  # both with the diagonal, at 2 and 0.5, rather than with each other at 3
        ([[0, 1], [0, 3]], [[0, 2]], 1.0),  # 3 with 2, and 1 with the diagonal
        ([], [[0, 4]], 2.0),
        ([[1, 5]], [[2, 4.5]], 1.0),
        ([], [], 0.0),
        ([[0, 0], [1, 1], [0, 4]], [[0, 3], [2, 2]], 1.0),  # points on the diagonal, as duplicate points make them
    ],
)
def test_distances_by_hand(first, second, expected):
    pair = [np.array(points, dtype=float).reshape(-1, 2) for points in (first, second)]
    assert bottleneck_distances(pair[:1], pair[1:]) == [pytest.approx(expected)]
    assert over_all_matchings(*pair) == pytest.approx(expected)


@pytest.mark.parametrize('sizes, births', [((3, 3), 0), ((2, 4), 0), ((3, 3), 1), ((4, 1), 1)])
def test_distances_are_the_best_of_all_matchings(sizes, births):
    generator = np.random.default_rng(sum(sizes))
    for _ in range(3):
        pair = []
        for size in sizes:
            low = births * generator.uniform(0, 2, size)
            pair.append(np.stack([low, low + generator.uniform(0.01, 3, size)], axis=1))
        assert bottleneck_distances(pair[:1], pair[1:])[0] == pytest.approx(over_all_matchings(*pair), rel=1e-12)


def test_distances_where_a_search_may_stop_too_early():
    """Of these pairs, gudhi's bottleneck_distance (3.13) gets the first wrong, and others like it."""
    deaths = [2.63696169, 2.26978671, 2.04097352], [0.58530862, 0.68359725, 0.53489999]
    pairs = [[np.stack([np.zeros(3), group], axis=1) for group in deaths]]
    generator = np.random.default_rng(0)
    pairs += [
        [np.stack([np.zeros(3), generator.uniform(*limits, 3)], axis=1) for limits in ((0.5, 3), (0.1, 1.5))]
        for _ in range(40)
    ]
    found = bottleneck_distances(*zip(*pairs))
    assert found == pytest.approx([over_all_matchings(*pair) for pair in pairs], rel=1e-12) and found[
        0
    ] == pytest.approx(1.318480845)


def test_as_many_diagrams_on_both_sides():
    for function in (bottleneck_distances, distance_caps):
        with pytest.raises(ValueError):
            function([np.zeros((1, 2))], [])


def test_the_cap_is_the_distance_to_the_diagonal_alone_and_hides_the_student():
    generator = np.random.default_rng(0)
    teacher, near, far = (
        np.stack([np.zeros(3), generator.uniform(*limits, 3)], axis=1) for limits in ((2, 3), (1.8, 3), (0.1, 0.9))
    )
    # with all deaths less than half the teacher's, any diagram is as good as none
    nothing = np.empty((0, 2))
    rows = [
        Distances('x', 0, 'as is', bottleneck_distances([teacher], [own]), distance_caps([teacher], [own]))
        for own in (near, far, nothing)
    ]
    assert rows[1].caps == rows[2].caps == [pytest.approx((teacher[:, 1] - teacher[:, 0]).max() / 2)]
    assert rows[1].values == rows[2].values == [pytest.approx(over_all_matchings(teacher, nothing))]
    assert [row.plain()['at_cap'] for row in rows] == [0, 1, 1]


def test_share_at_the_cap_is_of_clouds_and_counts_no_empty_pairs():
    row = Distances('x', 1, 'as is', [2.0, 1.0, 0.0, 3.0], [2.0, 1.5, 0.0, 3.0 + 1e-9])
    assert row.plain()['at_cap'] == 0.5
    assert distance_caps(
        [np.empty((0, 2)), np.array([[1, 2], [0, 4.0]])], [np.empty((0, 2)), np.array([[2, 7.0]])]
    ) == [0, 2.5]


def test_rows_of_students_and_of_the_teacher_on_other_images():
    deaths = dict(teacher=[[1, 2], [1, 2.25], [1, 4]], plain=[[2, 4], [1, 2.25], [1, 3]])
    networks = {name: [np.stack([np.zeros(2), cloud], axis=1) for cloud in clouds] for name, clouds in deaths.items()}
    rows = distances_to_teacher([ScaledDiagrams(0, 'as is', networks)])
    assert [(row.network, row.values) for row in rows] == [
        ('plain', pytest.approx([2.0, 0, 1])),
        (OTHER_IMAGES, pytest.approx([0.25, 1.75])),
    ]
    plain = rows[0].plain()
    assert (plain['mean'], plain['std'], plain['clouds']) == (pytest.approx(1.0), pytest.approx(1.0), 3)
    # caps 2, 1.125 and 2, of those with each other 1.125 and 2
    assert plain['at_cap'] == pytest.approx(1 / 3) and rows[1].caps == [1.125, 2] and rows[1].plain()['at_cap'] == 0
    single = {name: clouds[:1] for name, clouds in networks.items()}
    assert [row.network for row in distances_to_teacher([ScaledDiagrams(0, 'as is', single)])] == ['plain']


def test_diagrams_of_all_networks_with_and_without_scale():
    torch.manual_seed(0)
    model = build(distiller(student_width=4)).eval()
    model.student.init_weights()
    batches = [batch(16, seed=seed) for seed in range(3)]
    found = collect_diagrams(trained(model, plain=model.student), batches, (0, 1), limit=2)
    assert [group[:2] for group in found] == [(dim, scale) for dim in (0, 1) for scale in SCALES]
    inputs = torch.cat([model.data_preprocessor(item, False)['inputs'] for item in batches[:2]])
    with torch.no_grad():
        features = dict(
            teacher=model.teacher.module.extract_feat(inputs)[0], plain=model.student.extract_feat(inputs)[0]
        )
    for name, points in features.items():
        assert all(len(group.networks[name]) == 4 for group in found)
        for number, cloud in enumerate(points.double().reshape(4, 8, -1)):
            deaths = linkage(cloud.numpy(), 'single')[:, 2]
            np.testing.assert_allclose(found[0].networks[name][number][:, 1], deaths, rtol=1e-4)
            np.testing.assert_allclose(
                found[1].networks[name][number][:, 1], deaths / torch.pdist(cloud).mean().item(), rtol=1e-4
            )


def test_the_teacher_itself_and_a_scaled_copy():
    """A student that is its teacher has distance 0; one that only scales its features has, without scale."""
    torch.manual_seed(0)
    model = build(distiller(student_width=8)).eval()
    model.student.load_state_dict(model.teacher.module.state_dict())
    scaled = build(distiller(student_width=8)).eval().student
    scaled.load_state_dict(model.student.state_dict())
    scaled.neck.register_forward_hook(lambda module, args, output: tuple(3 * level for level in output))
    # hooks run in the order of their registration, so the tap sees what this one made
    diagrams = collect_diagrams(trained(model, same=model.student, scaled=scaled), [batch(16)], (0, 1))
    rows = {(row.network, row.homology_dim, row.scale): row.values for row in distances_to_teacher(diagrams)}
    for dim in (0, 1):
        # the teacher runs with its normalizations folded into its convolutions: equal up to rounding
        for scale in ('as is', 'scale-free'):
            assert rows['same', dim, scale] == pytest.approx([0, 0], abs=1e-6)
        assert rows['scaled', dim, 'scale-free'] == pytest.approx([0, 0], abs=1e-6)
    assert min(rows['scaled', 0, 'as is']) > 1e-4


def test_too_few_images():
    model = build(distiller()).eval()
    with pytest.raises(ValueError, match='too few for one cloud of the loss: take in more images'):
        collect_diagrams(trained(model), [], (0,))


class Largest(TorchDispatchMode):
    """Remember the size of the largest tensor that is made."""

    numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (list, tuple)) else [result]:
            self.numbers = max(self.numbers, tensor.numel() if isinstance(tensor, torch.Tensor) else 0)
        return result


def test_scale_is_taken_out_of_wide_clouds_in_little_memory():
    model = build(distiller(student_width=64)).eval()
    model.losses.topology.cloud.num_points = 40
    with Largest() as largest:
        collect_diagrams(trained(model), [batch(80, size=4)], (0,))
        whole = largest.numbers
    # differences of all pairs would be 780 x 32 numbers a cloud; the networks' own maps are 80 x 8 x 4 x 4
    assert whole < 2 * 780 * 32 / 2


def test_batches_that_make_no_cloud_are_passed_over():
    model = build(distiller()).eval()
    diagrams = collect_diagrams(trained(model), [batch(12), batch(16)], (0,))
    assert len(diagrams[0].networks['teacher']) == 2
