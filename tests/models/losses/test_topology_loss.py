"""The topology term: its value, its options, its edges."""

from types import SimpleNamespace

import pytest
import torch
from scipy.cluster.hierarchy import linkage
from torch.nn import functional as F

from topkd.models import RipsImage, RipsNet, TopologyLoss
from topkd.models.losses.distillation_loss import Probe

TEACHER = SimpleNamespace(name='t', fingerprint='f')


def deaths(points: torch.Tensor) -> torch.Tensor:
    """Single linkage merges at the edges of the minimum spanning tree."""
    return torch.tensor(linkage(points.detach().double().numpy(), 'single')[:, 2])


@pytest.fixture
def features():
    torch.manual_seed(0)
    return torch.randn(12, 5, requires_grad=True), 2 * torch.randn(12, 5)


def test_ripsnet_term_is_the_mean_squared_error_of_two_images(features):
    network = RipsNet(5)
    loss = TopologyLoss(loss_weight=3.0, vectorizer=network, cloud=dict(type='BatchCloud', num_points=6))
    student, teacher = features
    expected = 3 * F.mse_loss(network(student.reshape(2, 6, 5)), network(teacher.reshape(2, 6, 5)))
    value = loss(student, teacher)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    value.backward()
    assert student.grad.abs().sum() > 0 and not any(parameter.requires_grad for parameter in network.parameters())
    assert list(loss.state_dict()) == []


def test_exact_term_is_fitted_in_training_only(features):
    loss = TopologyLoss(
        vectorizer=dict(type='RipsImage', fit_batches=1), cloud=dict(type='BatchCloud', num_points=6)
    ).eval()
    with pytest.raises(RuntimeError):
        loss(*features)
    value = loss.train()(*features)
    assert value.isfinite() and 'vectorizer.imager.scale' in loss.state_dict()


def test_sorted_deaths_are_their_mean_absolute_difference(features):
    student, teacher = features
    loss = TopologyLoss(distance='sorted_deaths', loss_weight=0.5)
    expected = 0.5 * (deaths(student) - deaths(teacher)).abs().mean()
    value = loss(student, teacher)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    value.backward()
    assert student.grad.isfinite().all() and student.grad.abs().sum() > 0


@pytest.mark.parametrize('distance', ['sorted_deaths', 'sliced_wasserstein', 'signature', 'rtd_lite'])
def test_distances_vanish_on_equal_clouds_and_pull_otherwise(distance, features):
    student, teacher = features
    loss = TopologyLoss(distance=distance, cloud=dict(type='BatchCloud', num_points=6))
    assert loss(teacher, teacher).item() == pytest.approx(0, abs=1e-6)
    value = loss(student, teacher)
    value.backward()
    assert value.item() > 0 and student.grad.abs().sum() > 0
    assert loss.vectorizer is None


def test_only_correspondence_free_distances_ignore_the_order_of_the_students_points(features):
    student, teacher = features
    shuffled = student[torch.randperm(12)]
    for distance, free in (
        ('sorted_deaths', True),
        ('sliced_wasserstein', True),
        ('signature', False),
        ('rtd_lite', False),
    ):
        loss = TopologyLoss(distance=distance)
        same = loss(student, teacher).item() == pytest.approx(loss(shuffled, teacher).item(), rel=1e-4)
        assert same == free, distance


def test_unknown_distance_and_projection():
    with pytest.raises(ValueError, match="distance must be one of images, sorted_deaths, .*, got 'cosine'"):
        TopologyLoss(distance='cosine')
    with pytest.raises(ValueError, match="projection must be 'auto' or 'none', got 'linear'"):
        TopologyLoss(projection='linear')


def test_widths(features):
    loss = TopologyLoss(distance='sorted_deaths')
    loss.bind(TEACHER, Probe(torch.zeros(1, 3), torch.zeros(1, 5)))
    assert loss.projection.weight.shape == (5, 3)
    student = torch.randn(12, 3)
    expected = (deaths(loss.projection(student)) - deaths(features[1])).abs().mean()
    assert loss(student, features[1]).item() == pytest.approx(expected.item(), rel=1e-5)
    with pytest.raises(ValueError, match="RipsNet was trained on points of width 7, the teacher's tap 'neck.0.' has 5"):
        TopologyLoss(vectorizer=RipsNet(7)).bind(TEACHER, Probe(torch.zeros(1, 3), torch.zeros(1, 5)))


def test_without_projection_clouds_keep_their_widths():
    torch.manual_seed(0)
    loss = TopologyLoss(distance='sorted_deaths', projection='none')
    for student_width, width in ((3, 5), (5, 3)):
        student, teacher = torch.randn(12, student_width, requires_grad=True), torch.randn(12, width)
        loss.bind(TEACHER, Probe(student[:1], teacher[:1]))
        assert list(loss.parameters()) == []
        value = loss(student, teacher)
        assert value.item() == pytest.approx((deaths(student) - deaths(teacher)).abs().mean().item(), rel=1e-5)
        value.backward()
        assert student.grad.abs().sum() > 0


@pytest.mark.parametrize('distance', ['images', 'sliced_wasserstein', 'signature', 'rtd_lite'])
def test_without_projection_a_narrow_cloud_is_compared_like_its_isometric_copy(distance):
    torch.manual_seed(0)
    narrow, teacher = torch.randn(12, 3), torch.randn(12, 5)
    isometry = torch.linalg.qr(torch.randn(5, 3)).Q.T  # keeps all distances
    values = []
    for student in (narrow, narrow @ isometry):
        loss = TopologyLoss(
            distance=distance, projection='none', vectorizer=dict(type='RipsImage', homology_dims=(0, 1))
        )
        loss.bind(TEACHER, Probe(student[:1], teacher[:1]))
        values.append(loss(student, teacher).item())
    assert values[0] == pytest.approx(values[1], rel=1e-4) and values[0] > 0


def test_ripsnet_needs_the_teachers_width():
    message = r"RipsNet reads points of the teacher's width 5, the student's have 3: set projection='auto'"
    with pytest.raises(ValueError, match=message):
        TopologyLoss(vectorizer=RipsNet(5), projection='none').bind(
            TEACHER, Probe(torch.zeros(1, 3), torch.zeros(1, 5))
        )


def test_incomplete_batch_is_an_error_or_skipped_with_a_graph():
    student, teacher = torch.randn(7, 3, requires_grad=True), torch.randn(7, 5)
    strict = TopologyLoss(distance='sorted_deaths', cloud=dict(type='BatchCloud', num_points=4))
    strict.bind(TEACHER, Probe(student, teacher))
    with pytest.raises(ValueError, match='a cloud needs 4 points, got a batch of 7 images'):
        strict(student, teacher)
    lenient = TopologyLoss(distance='sorted_deaths', cloud=dict(type='BatchCloud', num_points=4, incomplete='skip'))
    lenient.bind(TEACHER, Probe(student, teacher))
    value = lenient(student, teacher)
    value.backward()
    assert value.item() == 0 and lenient.projection.weight.grad is not None and student.grad is not None


def test_normalized_clouds_ignore_the_students_scale(features):
    student, teacher = features
    for normalization in ('unit_norm', 'mean_distance'):
        loss = TopologyLoss(distance='sorted_deaths', cloud=dict(type='BatchCloud', normalization=normalization))
        assert loss(student, teacher).item() == pytest.approx(loss(10 * student, teacher).item(), rel=1e-4)


def test_far_deaths_leave_no_denormal_gradients():
    # on a CPU arithmetic with denormal numbers is many times slower, and they spread through the whole backward pass
    torch.manual_seed(0)
    vectorizer = RipsImage(spec=dict(bandwidth=0.76, im_range=[0, 0, 4.9, 21.0], scale=83.7, resolution=[20, 20]))
    for scale in (0.01, 0.1, 0.3, 1.0):
        student = (scale * torch.randn(64, 64)).requires_grad_()
        TopologyLoss(vectorizer=vectorizer, loss_weight=5.0)(student, 2 * torch.randn(64, 64)).backward()
        size = student.grad.abs()
        assert not ((size > 0) & (size < 1e-30)).any()


def test_deaths_that_no_image_sees_are_named_once(monkeypatch):
    import topkd.models.losses.topology_loss as module

    said = []
    monkeypatch.setattr(module, 'print_log', lambda line, *rest: said.append(line))
    spec = dict(bandwidth=0.1, im_range=[0.0, 0.0, 100.0, 200.0], scale=1.0)
    loss = module.TopologyLoss(
        vectorizer=dict(type='RipsImage', spec=spec), cloud=dict(type='BatchCloud', num_points=4)
    )
    points = torch.randn(8, 3)
    for _ in range(5):
        assert loss.diagnostics(points, points)['outside'] == 1
    assert len(said) == 1 and said[0].startswith(
        "all deaths of the student's clouds lay outside the range of the images"
    )
    assert "cloud.normalization='mean_distance'" in said[0]


def test_tokens_are_refused_with_what_to_write():
    loss = TopologyLoss(student_tap='backbone.layers.11', distance='sorted_deaths')
    probe = Probe(torch.rand(1, 17, 8), torch.rand(1, 8))
    with pytest.raises(
        ValueError, match="tap 'backbone.layers.11' returns \\(1, 17, 8\\): .* ':cls' or ':mean' or ':map'"
    ):
        loss.bind(None, probe)
