"""Landscapes and PersLay vectors of clouds: fitted to the teacher's, part of the topology loss."""

import pytest
import torch

from topkd.analysis.images.vectorizers import vectorizers_of
from topkd.models import RipsImage, RipsLandscape, RipsPersLay, TopologyLoss
from topkd.topology import rips_diagrams

KINDS = [RipsLandscape, RipsPersLay]


def make_clouds(count=4, seed=0, scale=1.0):
    return scale * torch.randn(count, 16, 3, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('dims', [(0,), (1,), (0, 1)])
def test_vectors_are_those_of_the_diagrams_and_have_gradients(kind, dims):
    vectorizer = kind(dims, fit_batches=1)
    vectorizer.observe(make_clouds(seed=1))
    clouds = make_clouds().requires_grad_()
    vectors = vectorizer(clouds)
    assert vectors.shape == (4, vectorizer.resolution[0] * vectorizer.resolution[1])
    torch.testing.assert_close(vectors, vectorizer.representation(rips_diagrams(clouds, dims)))
    vectors.square().sum().backward()
    assert clouds.grad.isfinite().all() and clouds.grad.any()


@pytest.mark.parametrize('kind', KINDS)
def test_range_is_fitted_on_the_first_batches_only_and_resumes(kind):
    torch.manual_seed(0)
    vectorizer = kind(fit_batches=2)
    batches = [make_clouds(seed=seed, scale=scale) for seed, scale in enumerate((1.0, 2.0, 50.0))]
    vectorizer.observe(batches[0])
    resumed = kind(fit_batches=2)
    resumed.load_state_dict(vectorizer.state_dict())
    resumed.go_on(vectorizer.progress())
    for network in (vectorizer, resumed):
        for batch in batches[1:]:
            network.observe(batch)
    low, high = vectorizer.representation.sample_range.tolist()
    assert low == 0 and high == pytest.approx(max(d.max().item() for d in rips_diagrams(torch.cat(batches[:2]))))
    assert torch.equal(resumed(batches[2]), vectorizer(batches[2]))
    assert (
        vectorizer.diagnostics(batches[1]) == dict(outside=0.0) and vectorizer.diagnostics(batches[2])['outside'] > 0.9
    )


@pytest.mark.parametrize('kind', [RipsImage, *KINDS])
def test_a_step_is_capturable_once_the_range_is_fixed(kind):
    for dims, capturable in (((0,), True), ((1,), False)):  # those of dimension 1 are made on the host
        vectorizer = kind(dims, fit_batches=1)
        seen = [vectorizer.capturable]
        for seed in range(2):
            vectorizer.observe(make_clouds(seed=seed))
            seen.append(vectorizer.capturable)
        assert seen == [False, False, capturable]


@pytest.mark.parametrize('kind', ['RipsLandscape', 'RipsPersLay'])
def test_a_loss_by_vectors_falls(kind):
    torch.manual_seed(0)
    loss = TopologyLoss(vectorizer=dict(type=kind), cloud=dict(type='BatchCloud', num_points=16))
    student, teacher = torch.randn(32, 3).requires_grad_(), 2 * torch.randn(32, 3)
    values = []
    optimizer = torch.optim.Adam([student], lr=0.05)
    for _ in range(80):
        value = loss(student, teacher)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < 0.3 * values[0]
    assert not any(parameter.requires_grad for parameter in loss.parameters())
    exact, ripsnet = vectorizers_of(loss)
    assert ripsnet is None and not exact.imager.fitted  # pictures show images of dimension 0


def test_perslay_is_trained_only_if_asked():
    assert not any(parameter.requires_grad for parameter in RipsPersLay().parameters())
    assert all(parameter.requires_grad for parameter in RipsPersLay(trainable=True).parameters())


@pytest.mark.parametrize('kind', KINDS)
def test_unknown_dimensions_are_refused_at_once(kind):
    with pytest.raises(ValueError, match='homology_dims must be'):
        kind((2,))
