"""ImageNet-1K: pairs and controls are what their names say, the recipe is the paper's, the pipeline is torchvision's."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from image_folders import write_imagenet
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS
from PIL import Image
from torchvision import transforms

from topkd.models import RipsNet
from topkd.models.clouds import BatchCloud
from topkd.models.losses.topology_configs import unloaded_loss

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
PAIRS = [('resnet34', 'resnet18'), ('resnet50', 'mobilenetv2')]


def read(name: str) -> Config:
    return Config.fromfile(CONFIGS / f'{name}_imagenet.py')


@pytest.mark.parametrize('teacher, student', PAIRS)
def test_pairs_with_their_controls(teacher, student):
    pair = f'{teacher}-{student}'
    topkd, kd, plain = read(f'topkd/{pair}'), read(f'kd/{pair}'), read(f'baselines/{student}')
    exact = Config.fromfile(CONFIGS / 'topkd' / f'{pair}_imagenet_exact.py')
    assert topkd.model.student == kd.model.student == exact.model.student == plain.model
    for key in ('optim_wrapper', 'train_dataloader', 'param_scheduler', 'train_cfg', 'data_preprocessor'):
        assert topkd[key] == kd[key] == plain[key]
    assert topkd.model.teacher == kd.model.teacher and topkd.model.losses.kd == kd.model.losses.kd
    assert kd.model.losses.topology is None
    expected = topkd.model.losses.topology
    assert exact.model.losses.topology == dict(expected, vectorizer=dict(expected.vectorizer, type='RipsImage'))
    assert topkd.model.teacher.name == f'{teacher}_imagenet'
    assert topkd.model.teacher.checkpoint == f'checkpoints/{teacher}_imagenet.pth'
    assert Config.fromfile(topkd.model.teacher.config).model == read(f'baselines/{teacher}').model


@pytest.mark.parametrize(
    'name', ['baselines/resnet18', 'baselines/mobilenetv2', 'topkd/resnet34-resnet18', 'topkd/resnet50-mobilenetv2']
)
def test_recipe_of_the_paper(name):
    cfg = read(name)
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4)
    assert cfg.param_scheduler.milestones == [30, 60, 90] and cfg.param_scheduler.gamma == 0.1
    assert cfg.train_cfg.max_epochs == 120
    assert (
        cfg.train_dataloader.batch_size == 256 == cfg.auto_scale_lr.base_batch_size and cfg.train_dataloader.drop_last
    )
    if name.startswith('topkd'):
        assert cfg.clouds.num_clouds == 20_000
        assert cfg.model.losses.topology.cloud == dict(type='BatchCloud', num_points=256, gather=True)


@pytest.mark.parametrize(
    'pair, units, folder',
    [
        ('resnet34-resnet18', (512, 256, 256), 'resnet34_imagenet_neck-0_n256_h0'),
        ('resnet50-mobilenetv2', (1024, 512, 256), 'resnet50_imagenet_neck-0_n256_h0'),
    ],
)
def test_ripsnets_of_table_15(pair, units, folder):
    cfg = read(f'topkd/{pair}')
    width = Config.fromfile(cfg.model.teacher.config).model.head.in_channels
    network = RipsNet(width)
    assert network.units == units
    widths = (width, *units)
    expected = sum(a * b + b for a, b in zip(widths, widths[1:]))
    expected += sum(a * b for a, b in zip((units[-1], 50, 100, 200), (50, 100, 200, 400)))
    assert sum(parameter.numel() for parameter in network.parameters()) == expected
    artifact = unloaded_loss(cfg).artifact(cfg.model.teacher.name)
    assert artifact.request['num_points'] == 256
    assert artifact.folder.as_posix().endswith(folder)


def test_one_entry_names_the_classes_of_all_heads(tmp_path):
    """Who changes num_classes in the data set's file changes every head, the teacher's included."""
    for folder in ('_base_', 'baselines', 'topkd'):
        for path in (CONFIGS / folder).rglob('*.py'):
            copied = tmp_path / path.relative_to(CONFIGS)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_text(path.read_text().replace('num_classes = 1000', 'num_classes = 7'))
    for teacher, student in PAIRS:
        cfg = Config.fromfile(tmp_path / 'topkd' / f'{teacher}-{student}_imagenet.py')
        assert (
            cfg.model.student.head.num_classes == Config.fromfile(cfg.model.teacher.config).model.head.num_classes == 7
        )
        assert cfg.train_dataloader.dataset.num_classes == cfg.test_dataloader.dataset.num_classes == 7


def test_parameters_are_torchvisions():
    for name, theirs in (('resnet18', 'resnet18'), ('mobilenetv2', 'mobilenet_v2')):
        ours = MODELS.build(read(f'baselines/{name}').model)
        with torch.device('meta'):
            reference = getattr(torchvision.models, theirs)()
        assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in reference.parameters())


def test_evaluation_sees_what_torchvision_sees(tmp_path):
    """The tensors that reach the network equal those of torchvision's own evaluation, but for the JPEG decoder."""
    cfg = read('baselines/resnet18')
    write_imagenet(tmp_path, ['n0', 'n1'], val=2)
    for path, size in zip(sorted((tmp_path / 'val').glob('*/*')), [(500, 375), (375, 500), (320, 480), (256, 256)]):
        Image.open(path).resize(size).save(path, quality=100, subsampling=0)
    dataset = DATASETS.build(dict(cfg.val_dataloader.dataset, data_root=str(tmp_path)))
    preprocessor = MODELS.build(cfg.data_preprocessor)
    data = preprocessor(pseudo_collate([dataset[number] for number in range(4)]), False)
    theirs = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    expected = torch.stack([theirs(Image.open(sample.img_path).convert('RGB')) for sample in data['data_samples']])
    assert data['inputs'].shape == (4, 3, 224, 224)
    # one level of 255 is 0.017 here; decoders and the order of resizing and rounding may differ by one
    assert (data['inputs'] - expected).abs().mean() < 0.005
    assert (data['inputs'] - expected).abs().max() < 0.06
    assert [sample.gt_label.item() for sample in data['data_samples']] == [0, 0, 1, 1]


def test_training_images_are_crops_and_flips(tmp_path):
    cfg = read('baselines/resnet18')
    write_imagenet(tmp_path, ['n0', 'n1'])
    dataset = DATASETS.build(dict(cfg.train_dataloader.dataset, data_root=str(tmp_path)))
    np.random.seed(0)
    first, second = dataset[0], dataset[0]
    assert first['inputs'].shape == (3, 224, 224) and first['inputs'].dtype == torch.uint8
    assert not torch.equal(first['inputs'], second['inputs'])
    assert {dataset[0]['data_samples'].flip for _ in range(12)} == {True, False}


def test_eight_processes_with_32_images_make_the_same_cloud(monkeypatch):
    """The cloud of 256 gathered points is that of one process with 256 images."""
    cfg = copy.deepcopy(read('topkd/resnet34-resnet18').model.losses.topology.cloud)
    assert cfg.pop('type') == 'BatchCloud'
    points = torch.randn(256, 5)
    whole = BatchCloud(**cfg)(points)
    monkeypatch.setattr(
        'topkd.models.clouds.batch_cloud.gather_points', lambda own: points if torch.equal(own, points[:32]) else None
    )
    assert torch.equal(BatchCloud(**cfg)(points[:32]), whole) and whole.shape == (1, 256, 5)
