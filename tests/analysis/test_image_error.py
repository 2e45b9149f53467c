"""Errors of approximated images: their numbers, and zero for the exact path."""

import numpy as np
import pytest
import torch
from scipy.cluster.hierarchy import linkage
from small import batch, build, distiller

from topkd.analysis.image_error import image_errors
from topkd.analysis.images.vectorizers import exact_twin
from topkd.analysis.trained_students import TrainedStudents
from topkd.models import RipsNet

SPEC = dict(bandwidth=0.5, im_range=[0.0, 0.0, 0.0, 3.0], scale=20.0, resolution=[20, 20])


def test_errors_of_a_pair_and_zero_for_the_exact_path(tmp_path):
    torch.manual_seed(0)
    network = RipsNet(32)
    network.spec = SPEC
    losses = dict(topology=dict(type='TopologyLoss', cloud=dict(type='BatchCloud', num_points=8)))
    config = distiller(student_width=8, losses=losses)
    model = build(config)
    model.init_weights()
    exact = exact_twin(network)
    batches = [batch(16, seed=seed) for seed in range(3)]
    trained = TrainedStudents(model, dict(student=model.student), model.losses.topology)
    errors = image_errors(trained, batches, network, exact, limit=2)
    with torch.no_grad():
        inputs = torch.cat([model.data_preprocessor(item, False)['inputs'] for item in batches[:2]])
        clouds = model.teacher.module.extract_feat(inputs)[0].reshape(4, 8, 32)
        difference = network(clouds) - exact(clouds)
    assert errors['teacher']['clouds'] == 4
    assert errors['teacher']['mse'] == pytest.approx(difference.square().mean().item(), rel=1e-4)
    assert errors['teacher']['l2'] == pytest.approx(difference.norm(dim=1).mean().item(), rel=1e-4)
    assert errors['student'] != errors['teacher']
    none = image_errors(trained, batches, exact, exact)
    assert none['teacher']['mse'] == none['student']['l2'] == 0 and none['student']['clouds'] == 6


def test_every_cloud_counts_alike_in_batches_of_any_size():
    torch.manual_seed(0)
    losses = dict(topology=dict(type='TopologyLoss', cloud=dict(type='BatchCloud', num_points=8)))
    model = build(distiller(student_width=8, losses=losses)).eval()
    batches = [batch(24), batch(8, seed=1)]
    with torch.no_grad():
        inputs = torch.cat([model.data_preprocessor(item, False)['inputs'] for item in batches])
        clouds = model.teacher.module.extract_feat(inputs)[0].reshape(4, 8, 32).double().numpy()
    deaths = np.stack([linkage(cloud, 'single')[:, 2] for cloud in clouds])
    limit = deaths[3].max() * 1.0001  # nothing of the last cloud is outside
    network = RipsNet(32)
    network.spec = dict(SPEC, im_range=[0.0, 0.0, 0.0, limit])
    exact = exact_twin(network)
    expected = (deaths > limit).mean()
    assert 0 < expected != (deaths[:3] > limit).mean() / 2
    trained = TrainedStudents(model, dict(student=model.student), model.losses.topology)
    assert image_errors(trained, batches, network, exact)['teacher']['outside'] == pytest.approx(expected)


def test_ripsnet_without_a_spec_has_no_exact_twin():
    with pytest.raises(ValueError, match='holds no spec of its images .* so exact images cannot be compared'):
        exact_twin(RipsNet(32))
