"""Flow matrices against loops over channels and positions."""

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
    small_distiller,
)

from topkd.functional.fsp import flow_distance, flow_matrix
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.fsp_loss import FSPLoss


def matrix_by_hand(lower, upper):
    """(N, C', C) by four loops over maps of equal size."""
    count, width, height, depth = lower.shape
    matrix = torch.zeros(count, upper.shape[1], width)
    for n in range(count):
        for i in range(upper.shape[1]):
            for j in range(width):
                products = [upper[n, i, h, w] * lower[n, j, h, w] for h in range(height) for w in range(depth)]
                matrix[n, i, j] = sum(products) / (height * depth)
    return matrix


def pooled(image):
    count, width, height, depth = image.shape
    return image.reshape(count, width, height // 2, 2, depth // 2, 2).mean((3, 5))


@pytest.fixture
def networks():
    torch.manual_seed(0)
    shapes = [(2, 2, 4, 6), (2, 3, 4, 6), (2, 4, 2, 3)]
    return [torch.randn(shape) for shape in shapes], [torch.randn(shape) for shape in shapes]


def by_hand(student, teacher):
    total = 0.0
    for first, second in ((0, 1), (1, 2)):
        matrices = []
        for maps in (student, teacher):
            lower = maps[first] if first == 0 else pooled(maps[first])
            matrices.append(matrix_by_hand(lower, maps[second]))
        total += (matrices[0] - matrices[1]).square().mean().item()
    return total


def test_value(networks):
    assert FSPLoss(loss_weight=50.0)(*networks).item() == pytest.approx(50 * by_hand(*networks), rel=1e-5)


def test_matrix(networks):
    lower, upper = networks[0][0], networks[0][1]
    assert torch.allclose(flow_matrix(lower, upper), matrix_by_hand(lower, upper), atol=1e-6)


def test_equal_maps_cost_nothing_and_teachers_may_have_another_size(networks):
    student, _ = networks
    assert flow_distance(student, student).item() == 0
    wide = [level.repeat_interleave(2, 2).repeat_interleave(2, 3) for level in student]
    assert flow_distance(student, wide).item() == pytest.approx(0, abs=1e-10)


def test_gradients(networks):
    assert_gradient_is_the_students(FSPLoss(), *networks)
    assert_zeros_leave_finite_gradients(FSPLoss(), *networks)


def test_half_precision(networks):
    assert_half_precision_is_close(FSPLoss(), *networks)


def test_refusals():
    wide, narrow = torch.zeros(1, 8, 4, 4), torch.zeros(1, 4, 4, 4)
    with pytest.raises(
        ValueError, match=r'equal widths, the student has \[4, 4\], the teacher \[4, 8\]: choose a pair'
    ):
        FSPLoss(student_tap=['a', 'b']).bind(None, Probe([narrow, narrow], [narrow, wide]))
    with pytest.raises(ValueError, match='FSPLoss compares consecutive maps, got 1 tap: name at least two'):
        FSPLoss(student_tap=['a']).bind(None, Probe([narrow], [narrow]))
    with pytest.raises(ValueError, match='FSPLoss needs maps of equal widths'):
        small_distiller(dict(type='topkd.FSPLoss'), student_width=4, teacher_width=8)


def test_one_step():
    assert_one_step_trains(dict(type='topkd.FSPLoss', loss_weight=50.0), learns=False, student_width=8)
