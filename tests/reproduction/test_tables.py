"""Tables and the configs of their variants: every file is used, and does what its name says."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from reproduction_small import CONFIGS
from small import batch

from topkd.models.vectorizers import units_for
from topkd.reproduction.tables import TABLES

ABLATIONS = sorted(path.stem for path in (CONFIGS / 'ablations').glob('*.py'))
TAPS = {1: 'backbone.stem', 2: 'backbone.layer1', 3: 'backbone.layer2', 4: 'neck[0]'}
WIDTHS = {1: 16, 2: 16, 3: 32, 4: 64}  # Table 19


def variants() -> dict:
    """Return all variants of all tables by name."""
    return {variant.name: variant for table in TABLES.values() for variant in table.variants}


def test_every_ablation_belongs_to_a_table_and_every_file_exists():
    named = [v.file(CONFIGS, v.model) for v in variants().values() if v.config.endswith('.py')]
    assert all(path.is_file() for path in named)
    assert {path.stem for path in named if path.parent.name == 'ablations'} == set(ABLATIONS)
    assert len(TABLES['table7'].variants) == 17 and len(TABLES['figure3'].variants) == 8
    for table in TABLES.values():
        names = [variant.name for variant in table.variants]
        assert len(names) == len(set(names))
        for pair in table.pairs:
            assert (CONFIGS / 'topkd' / f'{pair}.py').is_file(), pair


@pytest.mark.parametrize('name', ABLATIONS)
def test_an_ablation_is_short_and_does_what_its_name_says(name):
    path = CONFIGS / 'ablations' / f'{name}.py'
    lines = [line for line in path.read_text().splitlines() if not line.startswith('#')]
    assert len(lines) <= 3
    cfg = Config.fromfile(path)
    losses = cfg.model.losses
    kind, *numbers = name.split('-')
    if kind == 'homology':
        assert tuple(losses.topology.vectorizer.homology_dims) == tuple(map(int, numbers))
    elif kind == 'stages':
        assert (losses.topology.student_tap, losses.topology.teacher_tap) == tuple(
            TAPS[int(number)] for number in numbers
        )
    elif kind == 'points':
        assert losses.topology.cloud.num_points == cfg.train_dataloader.batch_size == int(numbers[0])
    elif kind == 'no':
        assert losses.kd is None
    else:
        assert losses[kind].loss_weight == float(numbers[1])


@pytest.mark.parametrize('name', ABLATIONS)
def test_an_ablation_trains_a_step(name):
    cfg = Config.fromfile(CONFIGS / 'ablations' / f'{name}.py')
    topology = cfg.model.losses.topology
    cfg.model.teacher.checkpoint = None
    cfg.model.teacher.model.backbone.depth = cfg.model.student.backbone.depth = 8
    topology.cloud.num_points = 4
    stage = next(stage for stage, tap in TAPS.items() if tap == (topology.get('teacher_tap') or topology.student_tap))
    topology.vectorizer.in_channels = WIDTHS[stage]
    config = copy.deepcopy(cfg.model)
    config.setdefault('data_preprocessor', cfg.data_preprocessor)
    torch.manual_seed(0)
    model = MODELS.build(config)
    assert model.losses.topology.vectorizer.module.units == units_for(WIDTHS[stage])
    data = model.data_preprocessor(batch(4, size=32, classes=100), True)
    losses = model(**data, mode='loss')
    losses['loss_topology'].backward()
    assert losses['loss_topology'] > 0
    # the stem comes before every tap
    assert model.student.backbone.stem.conv.weight.grad.abs().sum() > 0
