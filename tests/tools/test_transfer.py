"""Table 10's commands on small folders: train, resume, and test without the featurizer's file."""

import json
from pathlib import Path

import pytest
import torch
from image_folders import write_stl10, write_tiny_imagenet
from in_process import ROOT
from mmengine.config import Config
from mmengine.registry import MODELS

from topkd.utils.checkpoint import load_file, save_file

STL10 = str(ROOT / 'configs' / 'transfer' / 'stl10.py')
TINY = str(ROOT / 'configs' / 'transfer' / 'tiny-imagenet.py')
# as short as a config can say it; without augmentation an epoch is the same before and after a resume
SHORT = [
    'train_dataloader.batch_size=8',
    'param_scheduler.milestones=[3]',
    'data_preprocessor.crop_padding=0',
    'data_preprocessor.flip_prob=0.0',
]


@pytest.fixture
def student(tmp_path):
    """Write the checkpoint of a student that has seen some images, where the default config looks for it."""
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(ROOT / 'configs' / 'baselines' / 'resnet20_cifar100.py').model)
    model.init_weights()
    with torch.no_grad():
        for _ in range(5):
            model.train()(torch.randn(16, 3, 32, 32))
    weights = model.state_dict()
    save_file(dict(state_dict=weights), 'work_dirs/resnet56-resnet20_cifar100/student_epoch_240.pth')
    return weights


def accuracy(out):
    return next(line for line in out.splitlines() if line.startswith('accuracy/top1:'))


def test_stl10_train_resume_and_test(call, student, tmp_path):
    write_stl10(tmp_path / 'data' / 'stl10', dict(train=40, test=30))
    options = ['--cfg-options', *SHORT]
    options += ['train_cfg.max_epochs=4']
    assert call('train.py', STL10, *options, '--work-dir', 'whole')[0] == 0
    assert call('train.py', STL10, *options, '--work-dir', 'parts', '--resume', 'whole/epoch_3.pth')[0] == 0
    whole, parts = (load_file(f'{folder}/epoch_4.pth') for folder in ('whole', 'parts'))
    assert whole['state_dict'].keys() == parts['state_dict'].keys()
    for name, tensor in whole['state_dict'].items():
        assert torch.equal(tensor, parts['state_dict'][name]), name
        if name.startswith('featurizer.'):
            assert torch.equal(tensor, student[name[len('featurizer.') :]]), name
    before, after = (
        load_file('whole/epoch_3.pth')['state_dict']['head.fc.weight'],
        whole['state_dict']['head.fc.weight'],
    )
    assert after.shape == (10, 64) and not torch.equal(before, after)
    # the optimizer holds the momentum of the head's two tensors and nothing else
    shapes = [state['momentum_buffer'].shape for state in whole['optimizer']['state'].values()]
    assert shapes == [(10, 64), (10,)]
    results = json.loads(Path('whole/results.json').read_text())
    assert results['last']['epoch'] == 4 and results['last']['accuracy/top1'] > 40  # ten classes of distinct colors
    # the probe is complete: its featurizer's file may be gone
    Path('work_dirs/resnet56-resnet20_cifar100/student_epoch_240.pth').unlink()
    code, out, err = call('test.py', STL10, 'whole/epoch_4.pth')
    assert code == 0 and accuracy(out) == f'accuracy/top1: {results["last"]["accuracy/top1"]:.4f}'
    code, out, err = call('train.py', STL10)
    message = err.strip().splitlines()[-1]
    assert code == 1 and message.startswith("error: the featurizer: checkpoint 'work_dirs/resnet56-resnet20_cifar100/")
    assert 'model.featurizer.checkpoint=... model.featurizer.config=...' in message


def test_tiny_imagenet_from_a_plain_config_and_its_checkpoint(call, student, tmp_path):
    write_tiny_imagenet(tmp_path / 'mine', ['n03', 'n01', 'n02'], train=8, val=4)
    save_file(dict(state_dict=student), 'plain.pth')
    config = ROOT / 'configs' / 'baselines' / 'resnet20_cifar100.py'
    options = [
        '--cfg-options',
        *SHORT,
        'data_root=mine',
        f'model.featurizer.config={config}',
        'model.featurizer.checkpoint=plain.pth',
        'model.head.num_classes=3',
        'val_evaluator.topk=(1,)',
        'test_evaluator.topk=(1,)',
    ]
    code, out, err = call('train.py', TINY, *options, 'train_cfg.max_epochs=3', '--work-dir', 'run')
    assert code == 0, err
    results = json.loads(Path('run/results.json').read_text())
    assert results['last']['accuracy/top1'] > 60
    # the config that the training left in its folder needs no options
    code, out, err = call('test.py', 'run/tiny-imagenet.py', 'run/epoch_3.pth')
    assert code == 0 and accuracy(out) == f'accuracy/top1: {results["last"]["accuracy/top1"]:.4f}'


def test_a_folder_that_is_missing(call, student):
    for config, message in ((STL10, 'got no train_X.bin'), (TINY, 'got no wnids.txt there')):
        code, out, err = call('train.py', config, '--cfg-options', 'data_root=nowhere')
        sentence = err.strip().splitlines()[-1]
        assert code == 1 and sentence.startswith('error: ') and message in sentence
