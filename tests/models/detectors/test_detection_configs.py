"""The configs of Table 9: what they say, and that each of them steps."""

import os

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from tiny_detectors import logs_of_a_step

PAIRS = ['r101-r18', 'r101-r50', 'r50-mv2']
NAMES = (
    [f'topkd/faster-rcnn_{pair}_coco_exact.py' for pair in PAIRS]
    + [f'kd/faster-rcnn_{pair}_coco.py' for pair in PAIRS]
    + [f'baselines/faster-rcnn_{student}_coco.py' for student in ('r18', 'r50', 'mv2')]
    + ['topkd/faster-rcnn_r18w32-r18w16_digit-scenes_exact.py']
)


def read(root, name: str) -> Config:
    cfg = Config.fromfile(os.path.join(root, 'configs', name))
    # nothing is downloaded
    student = cfg.model.student if 'student' in cfg.model else cfg.model
    student.backbone.init_cfg = None
    if 'teacher' in cfg.model:
        cfg.model.teacher.update(checkpoint=None, cfg_options={'model.backbone.init_cfg': None})
    return cfg


@pytest.fixture
def root(request):
    return str(request.config.rootpath)


@pytest.mark.parametrize('name', NAMES)
def test_every_config_steps_and_trains_every_parameter(name, root):
    cfg = read(root, name)
    if cfg.model.get('losses', {}).get('topology'):
        cfg.model.losses.topology.cloud.num_points = 3
    logs = logs_of_a_step(cfg.model)
    expected = dict(topkd={'loss_kd', 'loss_topology'}, kd={'loss_kd'}, baselines=set())[name.split('/')[0]]
    assert {key for key in logs if key in ('loss_kd', 'loss_topology')} == expected


@pytest.mark.parametrize('pair, teacher', zip(PAIRS, ['r101', 'r101', 'r50']))
def test_pairs_say_what_the_paper_does(pair, teacher, root):
    cfg = Config.fromfile(f'{root}/configs/topkd/faster-rcnn_{pair}_coco.py')
    losses = cfg.model.losses
    assert (losses.kd.loss_weight, losses.topology.loss_weight) == (1.2, 1.0)
    assert losses.topology.cloud == dict(type='BatchCloud', num_points=8, gather=True, ignore_padding=True)
    assert losses.topology.vectorizer.type == 'RipsNet'
    assert cfg.model.teacher.config == f'mmdet::faster_rcnn/faster-rcnn_{teacher}_fpn_ms-3x_coco.py'
    assert f'faster_rcnn_{teacher}_fpn_mstrain_3x_coco' in cfg.model.teacher.checkpoint
    assert cfg.train_dataloader.batch_size == 8 and cfg.train_dataloader.batch_sampler.drop_last
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0001)
    assert cfg.default_scope == 'mmdet'


@pytest.mark.parametrize('processes, batch_size', [(1, 8), (2, 4), (8, 1)])
def test_total_batch_is_8_whatever_the_number_of_processes(processes, batch_size, root, monkeypatch):
    monkeypatch.setenv('WORLD_SIZE', str(processes))
    cfg = Config.fromfile(f'{root}/configs/topkd/faster-rcnn_r101-r18_coco.py')
    assert cfg.train_dataloader.batch_size == batch_size


def test_number_of_processes_that_does_not_divide_the_batch(root, monkeypatch):
    monkeypatch.setenv('WORLD_SIZE', '3')
    with pytest.raises(ValueError, match='a total batch of 8 cannot be shared by 3 processes: start 1, 2, 4 or 8'):
        Config.fromfile(f'{root}/configs/topkd/faster-rcnn_r101-r18_coco.py')


def test_local_checkpoint_of_the_teacher_comes_before_the_url(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.makedirs('checkpoints')
    open('checkpoints/faster-rcnn_r50_fpn_ms-3x_coco.pth', 'w').close()
    cfg = Config.fromfile(f'{root}/configs/topkd/faster-rcnn_r50-mv2_coco.py')
    assert cfg.model.teacher.checkpoint == 'checkpoints/faster-rcnn_r50_fpn_ms-3x_coco.pth'


def test_one_entry_decides_which_levels_enter(root):
    cfg = Config.fromfile(f'{root}/configs/topkd/faster-rcnn_r101-r18_coco_exact.py')
    cfg.merge_from_dict({'model.losses.topology.student_tap': 'neck[3]'})
    cfg.model.student.backbone.init_cfg = None
    cfg.model.teacher.update(checkpoint=None, cfg_options={'model.backbone.init_cfg': None})
    init_default_scope('mmdet')
    loss = MODELS.build(cfg.model).losses.topology
    assert loss.student_tap == loss.teacher_tap == 'neck[3]'
