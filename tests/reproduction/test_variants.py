"""One config a run: what a variant changes, on the pair of the paper and on any other."""

from pathlib import Path

import pytest
from mmengine.config import Config

from topkd.reproduction.config_differences import flat
from topkd.reproduction.own_lines import apply_file
from topkd.reproduction.recipe import pair_path, student_name
from topkd.reproduction.tables import TABLES
from topkd.reproduction.variants import KD, R56_R20, STUDENT, TOPKD, Variant, ablation, apply, methods, shorten
from topkd.utils.config import merge_cfg_options, read_config

CONFIGS = Path(__file__).resolve().parent.parent.parent / 'configs'
PAIR = CONFIGS / 'topkd' / f'{R56_R20}.py'
DIGITS = CONFIGS / 'topkd' / 'resnet20-resnet8_digits.py'


def run_config(path, variant, configs, seed=0, epochs=None, options=None):
    """Make the config of one run as a plan does."""
    return apply(variant, merge_cfg_options(read_config(str(path)), options), configs, seed, epochs)


SHARED = (
    'model',
    'optim_wrapper',
    'param_scheduler',
    'train_cfg',
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'data_preprocessor',
    'default_hooks',
    'custom_hooks',
)


NAMED = {variant: None for table in TABLES.values() for variant in table.variants if variant.config.endswith('.py')}


@pytest.mark.parametrize('variant', NAMED, ids=lambda variant: variant.config)
def test_a_variant_of_the_papers_pair_is_the_config_of_that_name(variant):
    wanted = Config.fromfile(variant.file(CONFIGS, variant.model))
    found = run_config(CONFIGS / 'topkd' / f'{variant.model}.py', variant, CONFIGS)
    assert flat(found.model.to_dict()) == flat(wanted.model.to_dict())
    assert found.train_dataloader.batch_size == wanted.train_dataloader.batch_size


def test_variants_apply_to_another_pair():
    pair = Config.fromfile(DIGITS)
    assert run_config(DIGITS, KD, CONFIGS).model.losses == dict(pair.model.losses, topology=None)
    changed = run_config(DIGITS, ablation('homology-1', ''), CONFIGS)
    assert tuple(changed.model.losses.topology.vectorizer.homology_dims) == (1,)
    assert changed.model.student == pair.model.student
    assert run_config(DIGITS, TOPKD, CONFIGS).model == pair.model


@pytest.mark.parametrize(
    'pair', [*TABLES['table1'].pairs, *TABLES['table2'].pairs, 'resnet20-resnet8_digits', *TABLES['table9'].pairs]
)
def test_a_plain_student_is_its_baseline(pair):
    plain = run_config(CONFIGS / 'topkd' / f'{pair}.py', STUDENT, CONFIGS, seed=0)
    baseline = merge_cfg_options(Config.fromfile(CONFIGS / 'baselines' / f'{student_name(pair)}.py'), None)
    for key in SHARED[:-1]:
        if 'coco' in pair and key == 'default_hooks':
            continue
        assert plain.get(key) == baseline.get(key), key
    assert [hook['type'] for hook in plain['custom_hooks']] == ['topkd.ResultHook']


def test_names_of_shared_students():
    assert (
        student_name(R56_R20) == 'resnet20_cifar100' and student_name('wrn40_2-wrn16_2_cifar100') == 'wrn16_2_cifar100'
    )
    assert student_name('faster-rcnn_r101-r18_coco') == 'faster-rcnn_r18_coco'
    assert student_name('faster-rcnn_r18w32-r18w16_digit-scenes') == 'faster-rcnn_r18w16_digit-scenes'
    assert student_name('mine') == 'mine'


def test_the_schedule_shrinks_with_the_training():
    cfg = run_config(PAIR, TOPKD, CONFIGS, seed=3, epochs=24)
    assert cfg.train_cfg.max_epochs == 24 and cfg.param_scheduler.milestones == [15, 18, 21]
    assert cfg.randomness.seed == 3
    cosine = Config(
        dict(
            train_cfg=dict(max_epochs=100, val_interval=10),
            param_scheduler=[
                dict(type='LinearLR', by_epoch=False, begin=0, end=500),
                dict(type='CosineAnnealingLR', T_max=95, begin=5, end=100),
            ],
        )
    )
    shorten(cosine, 20)
    assert cosine.param_scheduler[0].end == 500
    assert (cosine.param_scheduler[1].T_max, cosine.param_scheduler[1].begin, cosine.param_scheduler[1].end) == (
        19,
        1,
        20,
    )
    with pytest.raises(ValueError, match='trains by epochs'):
        shorten(Config(dict(train_cfg=dict(max_iters=5))), 2)


def test_options_reach_every_run_but_not_what_a_variant_varies():
    options = {
        'model.student.backbone.depth': 14,
        'model.losses.topology.cloud.num_points': 32,
        'model.losses.kd.tau': 2.0,
        'model.losses.topology.loss_weight': 2.0,
        'model.teacher.checkpoint': 'x.pth',
        'data_root': '/elsewhere',
        'clouds.num_clouds': 5,
    }
    plain = run_config(PAIR, STUDENT, CONFIGS, options=options)
    assert plain.model.backbone.depth == 14 and 'losses' not in plain.model and 'clouds' not in plain
    assert plain.train_dataloader.dataset.data_root == plain.val_dataloader.dataset.data_root == '/elsewhere'
    kd = run_config(PAIR, KD, CONFIGS, options=options)
    assert kd.model.losses.topology is None and kd.model.losses.kd.tau == 2.0
    pair = run_config(PAIR, TOPKD, CONFIGS, options=options)
    assert pair.model.losses.topology.cloud.num_points == 32 and pair.model.teacher.checkpoint == 'x.pth'
    assert pair.clouds.num_clouds == 5 and pair.model.losses.topology.loss_weight == 2.0
    assert (
        run_config(PAIR, ablation('topology-weight-50', ''), CONFIGS, options=options).model.losses.topology.loss_weight
        == 50
    )
    eight = run_config(PAIR, ablation('points-8', ''), CONFIGS, options=options)
    assert eight.model.losses.topology.cloud.num_points == eight.train_dataloader.batch_size == 8


@pytest.mark.parametrize('epochs', [1, 2, 5])
def test_a_short_warm_up_still_ends_after_it_begins(epochs):
    cfg = Config(
        dict(
            train_cfg=dict(max_epochs=24),
            param_scheduler=[
                dict(type='LinearLR', begin=0, end=2),
                dict(type='CosineAnnealingLR', begin=2, end=24, T_max=22),
            ],
        )
    )
    shorten(cfg, epochs)
    assert all(scheduler.end > scheduler.begin for scheduler in cfg.param_scheduler)
    assert cfg.param_scheduler[1].T_max >= 1


def test_a_config_survives_its_file(tmp_path):
    cfg = run_config(PAIR, ablation('homology-0-1', ''), CONFIGS)
    cfg.dump(tmp_path / 'config.py')
    assert flat(Config.fromfile(tmp_path / 'config.py').to_dict()) == flat(cfg.to_dict())


def test_messages(tmp_path):
    with pytest.raises(FileNotFoundError, match="no pair 'nonsense': name a file of .*topkd' without its ending"):
        pair_path('nonsense', CONFIGS)
    assert pair_path(str(DIGITS), CONFIGS) == DIGITS and pair_path(R56_R20, CONFIGS) == PAIR
    pair = Config.fromfile(DIGITS)
    (tmp_path / 'other.py').write_text("_base_ = 'x.py'\nmodel = dict(losses=_base_.losses_of[_base_.pair])\n")
    with pytest.raises(ValueError, match="other.py' cannot be applied to another pair .*losses_of"):
        apply_file(tmp_path / 'other.py', pair)
    assert apply_file(CONFIGS / 'ablations' / 'no-kd.py', pair).model.losses.kd is None


def test_a_variant_without_a_file_changes_nothing():
    assert run_config(DIGITS, Variant('x', 'x'), CONFIGS).to_dict() == run_config(DIGITS, TOPKD, CONFIGS).to_dict()


def test_a_method_takes_the_place_of_the_pairs_losses():
    cfg = run_config(DIGITS, methods(['SemCKD'])[0], CONFIGS)
    assert list(cfg.model.losses) == ['semckd']
    assert cfg.model.losses.semckd.type == 'topkd.SemCKDLoss' and cfg.model.losses.semckd.loss_weight == 100
    assert cfg.model.losses.semckd.batch_size == cfg.train_dataloader.batch_size
    assert cfg.model.teacher.name == 'resnet20_digits'
    assert 'semckd' not in cfg and 'semckd_of' not in cfg


def test_a_method_that_changes_the_student_takes_the_widths_of_the_pair():
    pair = 'vgg13-mobilenetv2_cifar100'
    path = CONFIGS / 'topkd' / f'{pair}.py'
    norm = run_config(path, methods(['NORM'])[0], CONFIGS).model
    assert list(norm.losses) == ['norm']
    widths = norm.student.head.in_channels, norm.teacher.model.head.in_channels
    assert (norm.student.neck.in_channels, norm.student.neck.out_channels) == widths == (1280, 512)
    simkd = run_config(path, methods(['SimKD'])[0], CONFIGS).model.student
    assert (simkd.neck.in_channels, simkd.neck.out_channels, simkd.head.in_channels) == (1280, 512, 512)
    assert simkd.head.checkpoint == norm.teacher.checkpoint and simkd.head.num_classes == 100
    assert simkd.neck.type == 'topkd.SimKDProjector' and simkd.head.loss.loss_weight == 0


def test_a_pair_with_a_config_of_its_own_of_a_method_uses_it():
    own = methods(['FitNet'], 'faster-rcnn_r101-r18_coco')[0]
    scenes, coco = 'faster-rcnn_r18w32-r18w16_digit-scenes', 'faster-rcnn_r50-mv2_coco'
    assert (
        own.file(CONFIGS, scenes).name == f'fitnet_{scenes}.py' and own.file(CONFIGS, coco).name == f'fitnet_{coco}.py'
    )
    assert own.file(CONFIGS, 'mine').name == 'fitnet_faster-rcnn_r101-r18_coco.py'


def test_every_method_of_a_table_has_its_file():
    named = {variant.config for table in TABLES.values() for variant in table.variants if 'methods/' in variant.config}
    assert len(named) >= 26
    for variant in NAMED:
        assert variant.file(CONFIGS, variant.model).is_file(), variant


@pytest.mark.parametrize('pair', TABLES['one_stage'].pairs)
def test_every_row_of_one_stage_detectors(pair):
    losses = {
        variant.name: run_config(CONFIGS / 'topkd' / f'{pair}.py', variant, CONFIGS).model.get('losses')
        for variant in TABLES['one_stage'].variants
    }
    assert losses['plain'] is None and losses['KD'].topology is None
    assert (
        losses['exact'].topology.vectorizer.type == 'RipsImage'
        and losses['TopKD'].topology.vectorizer.type == 'RipsNet'
    )
    for name in ('FitNet', 'CWD', 'PKD', 'MGD', 'ReviewKD'):
        assert [loss.student_tap for loss in losses[name].values()] == ['@pyramid']
    assert student_name(pair).split('_')[0] == pair.split('_')[0] and '-' not in student_name(pair)
