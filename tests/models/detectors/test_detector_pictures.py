"""Pictures of the topology term during the training of detectors."""

import pytest
import torch
from pretended_runner import pretended_runner
from tiny_detectors import batch, build, distiller, step

from topkd.hooks import TopologyVisualizationHook


def test_clouds_of_detectors_are_drawn_too():
    model = build(distiller(kd=None)).train()
    step(model, batch())  # fits the exact images
    data = batch()
    samples = [dict(inputs=image, data_samples=sample) for image, sample in zip(data['inputs'], data['data_samples'])]
    runner = pretended_runner(
        model, samples, lambda chosen: {key: [sample[key] for sample in chosen] for key in chosen[0]}
    )
    TopologyVisualizationHook().draw(runner, 7)
    assert runner.visualizer.images == [('topology_images', 7, (480, 620, 3))]
    assert model.training and model.losses.topology.cloud.gather is True
    with torch.no_grad():
        inputs = model.eval().data_preprocessor(batch(), False)['inputs']
        clouds = [
            torch.stack([level.mean(dim=(2, 3)) for level in network.extract_feat(inputs)[:4]]).mean(0)[None]
            for network in (model.student, model.teacher.module)
        ]
        student, teacher = (model.losses.topology.vectorizer(cloud) for cloud in clouds)
    assert runner.visualizer.scalars['images/topology_student_teacher_exact'] == pytest.approx(
        (student - teacher).square().mean().item(), rel=1e-3
    )


def test_clouds_of_objects_have_a_history_only():
    config = distiller(kd=None)
    config['losses']['topology']['cloud'] = dict(type='RoICloud', num_points=4)
    runner = pretended_runner(build(config), [], None)
    TopologyVisualizationHook().before_train(runner)
    assert runner.log == [
        "no pictures of loss 'topology' besides its history: validation pipelines do not resize the boxes that are "
        'its points'
    ]
