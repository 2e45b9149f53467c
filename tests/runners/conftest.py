"""A distillation config whose clouds and RipsNet take a second."""

import pytest


@pytest.fixture
def small_config(digits_config, tmp_path):
    """Return a function that reads the digits pair with few, small clouds, into a given folder."""

    def read(folder: str = 'artifact', **options):
        # a teacher without a checkpoint would be another one in every process
        cfg = digits_config('topkd/resnet20-resnet8_digits.py')
        cfg.merge_from_dict(
            {
                'clouds': dict(num_clouds=24, chunk=5),
                'ripsnet': dict(max_epochs=4, batch_size=4, patience=50),
                'model.teacher.model.backbone.depth': 8,
                'model.losses.topology.cloud.num_points': 16,
                'model.losses.topology.vectorizer.checkpoint': str(tmp_path / folder / 'ripsnet.pth'),
                **options,
            }
        )
        return cfg

    return read


@pytest.fixture
def teacher_checkpoint(digits_config, tmp_path):
    """Save the weights of a teacher that all processes share."""
    import torch
    from mmengine.registry import MODELS

    cfg = digits_config('baselines/resnet8_digits.py')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'teacher.pth')
    return str(tmp_path / 'teacher.pth')
