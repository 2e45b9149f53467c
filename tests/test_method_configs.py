"""Every method's config is read, built and stepped; any method works on any pair of its kind."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample
from small import batch

from topkd.models.losses.distillation_loss import DistillationLoss
from topkd.reproduction.variants import apply, methods

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


PUBLISHED = dict(
    dkd=dict(beta={'resnet56-resnet20': 2, 'resnet32x4-resnet8x4': 8, 'wrn40_2-wrn16_2': 6, 'wrn40_2-shufflenetv1': 8}),
    catkd=dict(
        loss_weight={'resnet56-resnet20': 0.7, 'resnet50-mobilenetv2': 40, 'resnet32x4-shufflenetv2': 600},
        normalize={'vgg13-vgg8': False, 'vgg13-mobilenetv2': True},
        resolution={'wrn40_2-wrn16_2': 2, 'wrn40_2-shufflenetv1': 4},
    ),
    reviewkd=dict(loss_weight={'resnet56-resnet20': 0.6, 'resnet32x4-resnet8x4': 5, 'resnet32x4-shufflenetv2': 8}),
)


def of_pair(name: str) -> Config:
    return Config.fromfile(CONFIGS / 'topkd' / f'{name}.py')


@pytest.mark.parametrize('method', PUBLISHED)
def test_a_method_on_a_pair_has_the_weights_published_for_it(method, tmp_path):
    """One line picks them, and the tables of reproduce.py pick the same."""
    for key, values in PUBLISHED[method].items():
        for pair, value in values.items():
            base = f"['{CONFIGS}/_base_/pairs/{pair}_cifar100.py', '{CONFIGS}/_base_/losses/{method}.py']"
            line = f'model = dict(losses=dict({method}=_base_.{method}_of.get(_base_.pair, _base_.{method})))'
            cfg = read(f'_base_ = {base}\n{line}\n', tmp_path)
            assert cfg.model.losses[method][key] == value, (pair, key)
            table = apply(methods([method])[0], of_pair(f'{pair}_cifar100'), CONFIGS)
            assert table.model.losses.to_dict() == cfg.model.losses.to_dict()


def test_tables_of_constants_name_pairs_that_exist():
    pairs = {path.stem for path in (CONFIGS / '_base_' / 'pairs').glob('*.py')}
    for path in sorted((CONFIGS / '_base_' / 'pairs').glob('*.py')):
        assert f"pair = '{path.stem}'" in path.read_text().splitlines()
    tables = 0
    for path in sorted((CONFIGS / '_base_' / 'losses').glob('*.py')):
        content = Config.fromfile(path)
        for name in (key for key in content if key.endswith('_of')):
            tables += 1
            assert set(content[name]) <= pairs
            assert all(loss.type == content[name[:-3]].type for loss in content[name].values())
    assert tables >= 6


@pytest.mark.parametrize('pair', ['resnet34-resnet18', 'resnet50-mobilenetv2'])
def test_methods_of_the_imagenet_tables_step_on_its_pairs(pair):
    cfg = of_pair(f'{pair}_imagenet')
    names = ('reviewkd', 'catkd', 'dkd', 'ofd', 'distpro')
    losses = [apply(variant, cfg, CONFIGS).model.losses for variant in methods(names)]
    assert losses[0]['reviewkd'].student_tap[0] == '@pre_activation' and losses[3]['ofd'].loss_weight == 1e-4
    model = MODELS.build(
        dict(
            cfg.model,
            losses={name: loss for found in losses for name, loss in found.items()},
            teacher=dict(cfg.model.teacher, checkpoint=None),
            data_preprocessor=cfg.data_preprocessor,
        )
    )
    images = [torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8) for _ in range(2)]
    samples = [DataSample().set_gt_label(label) for label in (3, 7)]
    data = model.data_preprocessor(dict(inputs=images, data_samples=samples), True)
    logs = model.train()(**data, mode='loss')
    assert all(logs[f'loss_{name}'].isfinite() and logs[f'loss_{name}'] > 0 for name in names)


@pytest.mark.parametrize('name', sorted(path.stem for path in (CONFIGS / 'methods').glob('*_imagenet.py')))
def test_methods_that_have_a_config_for_imagenet_step(name):
    """NORM's write the teacher's widths, which stand in another file."""
    method = name.split('_')[0]
    cfg = Config.fromfile(CONFIGS / 'methods' / f'{name}.py')
    cfg.model.teacher.checkpoint, cfg.model.data_preprocessor = None, cfg.data_preprocessor
    model = MODELS.build(cfg.model)
    images = [torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8) for _ in range(2)]
    data = dict(inputs=images, data_samples=[DataSample().set_gt_label(label) for label in (3, 7)])
    before = [parameter.detach().clone() for parameter in model.student.parameters()]
    logs = model.train().train_step(data, build_optim_wrapper(model, cfg.optim_wrapper))
    assert logs[f'loss_{method}'].isfinite() and logs[f'loss_{method}'] > 0
    assert all(not torch.equal(old, new) for old, new in zip(before, model.student.parameters(), strict=True))


def test_every_loss_of_the_package_has_a_config():
    bases = {path.stem for path in (CONFIGS / '_base_' / 'losses').glob('*.py')}
    modules = {path.stem[: -len('_loss')] for path in (CONFIGS.parent / 'topkd/models/losses').glob('*_loss.py')}
    detection = dict(pkd='pkd_detection', fgfi='fgfi_detection', dense_kd='kd_dense')
    assert modules - {'distillation', 'topology'} - set(detection) <= bases and set(detection.values()) <= bases
    assert {name.split('_')[0] for name in METHODS} >= modules - {'distillation', 'topology'} - set(detection)


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
