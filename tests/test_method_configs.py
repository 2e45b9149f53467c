"""Every method's config is read, built and stepped; any method works on any pair of its kind."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS
from small import batch

from topkd.models.losses.distillation_loss import DistillationLoss

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
METHODS = sorted(path.stem for path in (CONFIGS / 'methods').glob('*_resnet56-resnet20_cifar100.py'))
# methods that are matched stage by stage, and so depend on how a network is built
STAGED = ('at', 'reviewkd', 'fitnet', 'sp')
# one network of every family at least; what the other pairs have differs in depth and width only
PAIRS = ('vgg13-mobilenetv2', 'resnet50-vgg8', 'resnet32x4-shufflenetv2', 'wrn40_2-shufflenetv1')


def read(text: str, tmp_path: Path) -> Config:
    path = tmp_path / 'config.py'
    path.write_text(text)
    return Config.fromfile(path)


def step(cfg: Config) -> tuple[torch.nn.Module, dict]:
    """Take one step of a batch of eight, with a random teacher and small banks."""
    cfg = Config(copy.deepcopy(cfg.to_dict()))
    cfg.model.teacher.checkpoint = None
    if 'checkpoint' in cfg.model.student.head:
        cfg.model.student.head.checkpoint = None
    for loss in cfg.model.losses.values():
        loss.update({key: 8 for key in ('batch_size', 'num_negatives') if key in loss})
    cfg.model.data_preprocessor = cfg.data_preprocessor
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    images = batch(8, size=32)
    images['sample_idx'] = torch.arange(8)
    for loss in model.modules():
        if isinstance(loss, DistillationLoss):
            loss.prepare(type('DataSet', (list,), dict(labels=images['gt_label']))(range(8)))
    return model, model.train().train_step(images, build_optim_wrapper(model, cfg.optim_wrapper))


@pytest.mark.parametrize('name', METHODS)
def test_build_and_step(name):
    cfg = Config.fromfile(CONFIGS / 'methods' / f'{name}.py')
    method = name.split('_')[0]
    model, logs = step(cfg)
    assert list(model.losses) == [method]
    assert logs[f'loss_{method}'].isfinite() and logs[f'loss_{method}'] > 0
    assert len((CONFIGS / 'methods' / f'{name}.py').read_text().splitlines()) <= (
        20 if method in ('simkd', 'norm') else 3
    )


def test_every_loss_of_the_package_has_a_config():
    bases = {path.stem for path in (CONFIGS / '_base_' / 'losses').glob('*.py')}
    modules = {path.stem[: -len('_loss')] for path in (CONFIGS.parent / 'topkd/models/losses').glob('*_loss.py')}
    detection = {'pkd', 'fgfi'}
    assert modules - {'distillation', 'topology'} - detection <= bases
    assert {name.split('_')[0] for name in METHODS} >= modules - {'distillation', 'topology'} - detection


@pytest.mark.parametrize('pair', PAIRS)
def test_methods_between_stages_on_every_pair(pair, tmp_path):
    bases = [
        f"'{CONFIGS}/_base_/pairs/{pair}_cifar100.py'",
        *(f"'{CONFIGS}/_base_/losses/{name}.py'" for name in STAGED),
    ]
    losses = ', '.join(f'{name}=_base_.{name}' for name in STAGED)
    cfg = read(f'_base_ = [{", ".join(bases)}]\nmodel = dict(losses=dict({losses}))\n', tmp_path)
    _, logs = step(cfg)
    for name in STAGED:
        assert logs[f'loss_{name}'].isfinite(), name


def test_methods_are_stacked(tmp_path):
    names = ('kd', 'lskd', 'rkd')
    bases = [
        f"'{CONFIGS}/_base_/pairs/resnet20-resnet8_digits.py'",
        *(f"'{CONFIGS}/_base_/losses/{n}.py'" for n in names),
    ]
    losses = ', '.join(f'{name}=_base_.{name}' for name in names)
    cfg = read(f'_base_ = [{", ".join(bases)}]\nmodel = dict(losses=dict({losses}))\n', tmp_path)
    model, logs = step(cfg)
    assert list(model.losses) == list(names) and all(logs[f'loss_{name}'] > 0 for name in names)


def test_the_search_of_distpro_learns_from_images_that_the_student_does_not_see():
    cfg = Config.fromfile(CONFIGS / 'methods' / 'search' / 'distpro_resnet56-resnet20_cifar100.py')
    assert cfg.model.losses.distpro.search and cfg.custom_hooks[-1].type == 'topkd.DistProSearchHook'
    assert cfg.train_dataloader.dataset.indices == 40_000 and cfg.search_dataloader.dataset.indices == -10_000
    assert cfg.search_dataloader.dataset.data_root is None and cfg.search_dataloader.batch_size == 64
    _, logs = step(cfg)
    assert logs['loss_distpro'] > 0
