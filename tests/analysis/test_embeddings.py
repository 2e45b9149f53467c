"""Embeddings of labeled images: the networks' features in the loader's order."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small import batch, build, distiller

from topkd.analysis.embeddings.collect import class_names, collect_embeddings
from topkd.analysis.trained_students import TrainedStudents


@pytest.fixture
def model():
    torch.manual_seed(0)
    network = build(distiller(student_width=4)).eval()
    network.student.init_weights()
    return network


def trained(model, **students) -> TrainedStudents:
    """Return a distiller and some students as its topology loss sees them."""
    return TrainedStudents(model, students, model.losses.topology)


def test_embeddings_are_the_features_and_not_projected(model):
    batches = [batch(16, seed=0), batch(5, seed=1), batch(16, seed=2)]
    found = collect_embeddings(trained(model, plain=model.student), batches, limit=2)
    inputs = torch.cat([model.data_preprocessor(item, False)['inputs'] for item in batches[:2]])
    with torch.no_grad():
        for name, network in dict(teacher=model.teacher.module, plain=model.student).items():
            np.testing.assert_allclose(
                found.points[name], network.extract_feat(inputs)[0].numpy(), rtol=1e-4, atol=1e-6
            )
    assert found.points['plain'].shape == (21, 16) and found.points['teacher'].shape == (21, 32)
    assert found.labels.tolist() == torch.cat([item['gt_label'] for item in batches[:2]]).tolist()


def test_feature_maps_are_averaged(model):
    model.losses.topology.student_tap = model.losses.topology.teacher_tap = 'backbone.layer1'
    found = collect_embeddings(trained(model), [batch(8)])
    inputs = model.data_preprocessor(batch(8), False)['inputs']
    with torch.no_grad():
        backbone = model.teacher.module.backbone
        expected = backbone.layer1(backbone.stem(inputs)).mean(dim=(2, 3))
    np.testing.assert_allclose(found.points['teacher'], expected.numpy(), rtol=1e-4, atol=1e-6)


def test_a_network_that_diverged(model):
    model.student.backbone.layer1[0].conv1.weight.data.fill_(torch.nan)
    with pytest.raises(ValueError, match="embeddings of 'plain' are not all finite: its training diverged"):
        collect_embeddings(trained(model, plain=model.student), [batch(8)])


def test_no_images_and_images_without_a_class(model, monkeypatch):
    with pytest.raises(ValueError, match='the split holds no images'):
        collect_embeddings(trained(model), [])
    forward = model.data_preprocessor.forward

    def unlabelled(data, training):
        return dict(forward(data, training), data_samples=[SimpleNamespace()] * len(data['inputs']))

    monkeypatch.setattr(model.data_preprocessor, 'forward', unlabelled)
    with pytest.raises(
        ValueError, match=r'images of exactly one class each \(gt_label\): name the config of a classifier'
    ):
        collect_embeddings(trained(model), [batch(8)])


def test_names_of_classes():
    dataset = SimpleNamespace(metainfo=dict(classes=('cat', 'dog')))
    assert class_names(dataset, np.array([1, 0, 1])) == {0: 'cat', 1: 'dog'}
    assert class_names(dataset, np.array([1, 7])) == {1: 'dog', 7: '7'}
    assert class_names([], np.array([3])) == {3: '3'}
