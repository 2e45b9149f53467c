"""The path of Tables 3 and 4 on a small ImageNet-style folder: torchvision's file, clouds, RipsNet, student, test."""

import json
from pathlib import Path

import numpy as np
import torch
import torchvision
from image_folders import write_imagenet
from in_process import ROOT
from mmengine.config import Config
from mmengine.registry import DATASETS
from torchvision.transforms.functional import normalize

from topkd.models import RipsNet
from topkd.runners.cloud_sampling import CloudSampler, CloudSeededDataset
from topkd.utils.checkpoint import load_file

PAIR = str(ROOT / 'configs' / 'topkd' / 'resnet34-resnet18_imagenet.py')
CLASSES = ['n01440764', 'n01443537', 'n01484850']


def pooled_by_torchvision(network):
    """Return what torchvision's network makes of the images of cloud 0, (4, 512)."""
    dataset = DATASETS.build(dict(Config.fromfile(PAIR).train_dataloader.dataset, data_root='data'))
    seeded = CloudSeededDataset(dataset, 0)
    images = torch.stack([seeded[key]['inputs'] for key in next(iter(CloudSampler([0], 9, 4, 0)))]).flip(1) / 255
    network.fc = torch.nn.Identity()
    with torch.no_grad():
        return network.eval()(normalize(images, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def test_from_torchvisions_file_to_a_student(call, tmp_path):
    write_imagenet(tmp_path / 'data', CLASSES, train=3, val=2)
    options = [
        '--cfg-options',
        'data_root=data',
        'train_dataloader.batch_size=4',
        'train_dataloader.num_workers=0',
        'val_dataloader.num_workers=0',
        'test_dataloader.num_workers=0',
        'model.losses.topology.cloud.num_points=4',
        'clouds.num_clouds=6',
        'ripsnet.max_epochs=2',
        'ripsnet.batch_size=2',
        'model.teacher.floor=None',
        'train_cfg.max_epochs=1',
        'default_hooks.logger.interval=1',
    ]
    code, out, err = call('gen_pi.py', PAIR, *options)
    assert code == 1 and "checkpoint 'checkpoints/resnet34_imagenet.pth' does not exist" in err
    torch.manual_seed(0)
    theirs = torchvision.models.resnet34(weights=None)
    torch.save(theirs.state_dict(), 'resnet34-b627a593.pth')
    code, out, err = call('convert_checkpoint.py', 'resnet34-b627a593.pth', 'checkpoints/resnet34_imagenet.pth')
    assert code == 0 and out.strip().endswith('resnet34_imagenet, converted from resnet34-b627a593.pth')
    code, out, err = call('gen_pi.py', PAIR, *options)
    folder = Path('work_dirs/ripsnet/resnet34_imagenet_neck-0_n4_h0')
    assert code == 0 and out.strip().endswith(str(folder))
    clouds = np.load(folder / 'clouds.npy')
    assert clouds.shape == (6, 4, 512) and clouds[0].std(axis=0).mean() > 0.1
    torch.testing.assert_close(torch.from_numpy(clouds[0]), pooled_by_torchvision(theirs), rtol=1e-4, atol=1e-3)
    assert call('train_ripsnet.py', PAIR, *options)[0] == 0
    assert RipsNet(checkpoint=str(folder / 'ripsnet.pth')).units == (512, 256, 256)
    code, out, err = call('train.py', PAIR, *options, '--work-dir', 'run')
    assert code == 0, err
    # 9 images make two full batches of 4: the last image is left out, a cloud needs 4
    state = load_file('run/epoch_1.pth')
    assert state['meta']['iter'] == 2
    assert 'student.head.fc.weight' in state['state_dict'] and not any('teacher' in key for key in state['state_dict'])
    results = json.loads(Path('run/results.json').read_text())
    assert {'accuracy/top1', 'accuracy/top5'} <= results['last'].keys()
    plain = str(ROOT / 'configs' / 'baselines' / 'resnet18_imagenet.py')
    code, out, err = call(
        'test.py', plain, 'run/student_epoch_1.pth', '--cfg-options', 'data_root=data', 'test_dataloader.num_workers=0'
    )
    assert code == 0 and f'accuracy/top1: {results["last"]["accuracy/top1"]:.4f}' in out


def test_folders_that_are_no_image_sets(call, tmp_path):
    plain = str(ROOT / 'configs' / 'baselines' / 'resnet18_imagenet.py')
    code, out, err = call('train.py', plain, '--cfg-options', 'data_root=nowhere')
    sentence = err.strip().splitlines()[-1]
    assert (
        code == 1
        and sentence.startswith('error: ')
        and "image folder 'nowhere/train' does not exist: set data_root" in sentence
    )
