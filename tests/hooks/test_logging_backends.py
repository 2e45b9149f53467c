"""MMEngine's back ends: what a cohort's training leaves for TensorBoard, and how pictures reach MLflow."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import VISBACKENDS
from mmengine.runner import Runner

import topkd  # noqa: F401
from topkd.training_setup import prepare_training

COHORT = 'cohorts/resnet20-resnet8_digits.py'


def test_tensorboard_gets_the_metrics_of_every_member(digits_config, tmp_path):
    reading = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
    cfg: Config = digits_config(COHORT, **{'train_cfg.max_epochs': 2, 'default_hooks.logger.interval': 2})
    cfg.visualizer.vis_backends = backends
    cfg.model.members = {name: cfg.model.members[name] for name in ('plain', 'KD')}
    prepare_training(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    runner.visualizer.close()
    (file,) = tmp_path.glob('work/*/vis_data/events*')
    found = reading.EventAccumulator(str(file)).Reload()
    tags = found.Tags()
    assert {'lr', 'plain/loss', 'KD/loss', 'KD/loss_kd', 'KD/share_kd', 'KD/gradient_ratio_kd'} <= set(tags['scalars'])
    assert 'config/text_summary' in tags['tensors']
    for member in ('plain', 'KD'):
        events = found.Scalars(f'{member}/accuracy/top1')
        assert [event.step for event in events] == [1, 2]
        assert all(0 <= event.value <= 100 for event in events)


@pytest.fixture
def mlflow(monkeypatch):
    """Stand in for MLflow, and keep the pictures that it gets."""
    pictures = []
    module = SimpleNamespace(
        pictures=pictures,
        MlflowException=RuntimeError,
        set_tracking_uri=lambda uri: None,
        get_experiment_by_name=lambda name: name,
        set_experiment=lambda name: None,
        log_image=lambda image, name: pictures.append((name, image.shape)),
    )
    monkeypatch.setitem(sys.modules, 'mlflow', module)
    return module


def test_pictures_for_mlflow_have_an_ending_and_their_step(mlflow, tmp_path):
    MMLogger.get_instance('mlflow')  # MMEngine looks at the newest logger, which may write to a test that has ended
    backend = VISBACKENDS.build(dict(type='topkd.MLflowVisBackend', save_dir=str(tmp_path)))
    for name, step in (('topology_images', 10), ('topology_images', 20), ('drawn.jpg', 20)):
        backend.add_image(name, np.zeros((4, 6, 3), np.uint8), step)
    expected = ['topology_images_10.png', 'topology_images_20.png', 'drawn.jpg']
    assert mlflow.pictures == [(name, (4, 6, 3)) for name in expected]
