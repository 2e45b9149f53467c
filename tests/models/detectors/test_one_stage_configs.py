"""The configs of one-stage detectors: what they say, and that each of them steps."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.registry import MODELS, init_default_scope
from tiny_detectors import batch, logs_of_a_step, step

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
PAIRS = ('retinanet_r101-r18_coco', 'gfl_r101-r18_coco', 'yolox_l-s_coco', 'retinanet_r18w32-r18w16_digit-scenes')
METHODS = ('fitnet', 'cwd', 'pkd', 'mgd', 'reviewkd', 'fgfi')
SCENES_CLOUDS = ('objects', 'spatial')


def read(name: str) -> Config:
    """Read a config whose networks are narrow and start from random weights."""
    cfg = Config.fromfile(CONFIGS / name)
    student = cfg.model.student if 'student' in cfg.model else cfg.model
    student.data_preprocessor.pop('batch_augments', None)
    options = dict(init_cfg=None)
    if 'yolox' in name:
        options = dict(deepen_factor=0.33, widen_factor=0.125)
        student.backbone.update(options)
        student.neck.update(in_channels=[32, 64, 128], out_channels=32, num_csp_blocks=1)
        student.bbox_head.update(in_channels=32, feat_channels=32)
    student.backbone.update(options)
    if 'teacher' in cfg.model:
        changes = {f'model.backbone.{key}': value for key, value in options.items()}
        if 'yolox' in name:
            changes.update({'model.neck.in_channels': [32, 64, 128], 'model.bbox_head.in_channels': 256})
        else:
            changes['model.backbone.depth'] = 18
            changes['model.neck.in_channels'] = [64, 128, 256, 512]
            if 'digit-scenes' in name:
                changes['model.neck.in_channels'] = [32, 64, 128, 256]
        cfg.model.teacher.update(checkpoint=None, cfg_options=changes)
        topology = cfg.model.losses.get('topology')
        if topology:
            topology.cloud.update(num_points=3)
    return cfg


@pytest.mark.parametrize('pair', PAIRS)
def test_pairs_and_controls_step_and_train_every_parameter(pair):
    cfg = read(f'topkd/{pair}_exact.py')
    logs = logs_of_a_step(cfg.model)
    assert {key for key in logs if key in ('loss_kd', 'loss_topology')} == {'loss_kd', 'loss_topology'}
    assert logs['loss_kd'] > 0
    kd = read(f'kd/{pair}.py')
    assert kd.model.losses.kd == cfg.model.losses.kd and kd.model.losses.topology is None
    topkd = Config.fromfile(CONFIGS / f'topkd/{pair}.py').model.losses
    assert topkd.topology.vectorizer.type == 'RipsNet' and topkd.topology.cloud.num_points == 8


@pytest.mark.parametrize('pair', PAIRS)
def test_all_methods_of_a_pair_in_one_step(pair):
    losses = {}
    for method in METHODS:
        path = CONFIGS / 'methods' / f'{method}_{pair}.py'
        if method == 'fgfi' and 'yolox' in pair:
            assert not path.is_file()
            continue
        assert len(path.read_text().splitlines()) == 3
        cfg = read(f'methods/{method}_{pair}.py')
        assert list(cfg.model.losses) == [method]
        losses.update(cfg.model.losses.to_dict())
    cfg.model.losses = losses
    init_default_scope('mmdet')
    logs = step(MODELS.build(cfg.model).train(), batch())
    assert all(logs[f'loss_{method}'].isfinite() and logs[f'loss_{method}'] > 0 for method in losses)


@pytest.mark.parametrize(
    'name', ['retinanet_r18_coco', 'gfl_r18_coco', 'yolox_s_coco', 'retinanet_r18w16_digit-scenes']
)
def test_a_pairs_student_is_its_baseline(name):
    plain = Config.fromfile(CONFIGS / 'baselines' / f'{name}.py')
    pair = next(pair for pair in PAIRS if pair.split('_')[0] == name.split('_')[0] and pair.split('_')[-1] in name)
    cfg = Config.fromfile(CONFIGS / 'topkd' / f'{pair}.py')
    assert cfg.model.student == plain.model and cfg.optim_wrapper == plain.optim_wrapper
    assert cfg.train_dataloader == plain.train_dataloader and cfg.param_scheduler == plain.param_scheduler
    assert plain.train_dataloader.batch_size == 8
    hooks = [hook.type for hook in cfg.custom_hooks]
    assert {'topkd.StudentCheckpointHook', 'topkd.CategoryCheckHook', 'topkd.ResultHook'} <= set(hooks)
    if 'yolox' in name:
        assert {'topkd.YOLOXSwitchHook', 'EMAHook', 'SyncNormHook'} <= set(hooks)


@pytest.mark.parametrize('pair', PAIRS[:3])
def test_teachers_are_those_of_mmdets_zoo(pair):
    teacher = Config.fromfile(CONFIGS / 'topkd' / f'{pair}.py').model.teacher
    assert get_config(teacher.config).model.type.lower() == pair.split('_')[0]
    folder = Path(get_config.__globals__['get_installed_path']('mmdet')) / '.mim' / 'configs' / pair.split('_')[0]
    assert f'Weights: {teacher.checkpoint}\n' in (folder / 'metafile.yml').read_text()


@pytest.mark.parametrize('kind', SCENES_CLOUDS)
def test_clouds_of_the_study_on_scenes(kind):
    cfg = Config.fromfile(CONFIGS / 'topkd' / f'faster-rcnn_r18w32-r18w16_digit-scenes_{kind}.py')
    cfg.model.teacher.checkpoint = None
    init_default_scope('mmdet')
    model = MODELS.build(cfg.model).train()
    assert type(model.losses.topology.cloud).__name__ == dict(objects='RoICloud', spatial='SpatialCloud')[kind]
    assert step(model, batch())['loss_topology'].isfinite()
