"""The tools as a user calls them: what they print, and how they end on bad input."""

import os
from pathlib import Path

import pytest
import torch
from mmengine.registry import MODELS

from topkd.utils.checkpoint import load_file, save_file

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def pair(digits_config, tmp_path):
    """Write a small pair's config to a file; options change it."""

    def write(name: str = 'topkd/resnet20-resnet8_digits.py', floor=None, **options) -> str:
        cfg = digits_config(name, **{'train_cfg.max_epochs': 1, **options})
        if floor is not None:
            cfg.model.teacher.floor = floor
        cfg.pop('work_dir')
        cfg.dump(tmp_path / 'pair.py')
        return str(tmp_path / 'pair.py')

    return write


EXACT = {'model.losses.topology.vectorizer.type': 'RipsImage', 'model.losses.topology.cloud.num_points': 16}


def test_the_three_tools_and_test_and_export(call, pair, tmp_path, digits_config):
    torch.manual_seed(0)
    teacher = MODELS.build(digits_config('baselines/resnet20_digits.py').model)
    teacher.init_weights()
    save_file(dict(state_dict=teacher.state_dict()), tmp_path / 'teacher.pth')
    config = pair(
        **{
            'model.teacher.checkpoint': str(tmp_path / 'teacher.pth'),
            'clouds': dict(num_clouds=12),
            'ripsnet': dict(max_epochs=2, batch_size=4),
            'model.losses.topology.cloud.num_points': 16,
        }
    )
    code, out, err = call('train.py', config)
    folder = 'work_dirs/ripsnet/resnet20_digits_neck-0_n16_h0'
    assert code == 1 and f"RipsNet '{folder}/ripsnet.pth' does not exist" in err
    assert f'python tools/gen_pi.py {config}' in err and f'python tools/train_ripsnet.py {config}' in err
    code, out, err = call('train_ripsnet.py', config)
    assert code == 1 and f"'{folder}' holds no clouds: run tools/gen_pi.py {config} first" in err
    assert call('gen_pi.py', config)[0] == 0
    code, out, err = call('train_ripsnet.py', config)
    assert code == 0 and out.strip().endswith(f'{folder}/ripsnet.pth')
    code, out, err = call('train.py', config, '--work-dir', 'run')
    assert code == 0 and os.path.isfile('run/student_epoch_1.pth')
    trained = load_file('run/epoch_1.pth')
    assert not any(key.startswith(('teacher', 'losses.topology.vectorizer')) for key in trained['state_dict'])
    accuracies = []
    for cfg, checkpoint in ((config, 'run/epoch_1.pth'), (config, 'run/student_epoch_1.pth')):
        code, out, err = call('test.py', cfg, checkpoint)
        assert code == 0
        accuracies.append(next(line for line in out.splitlines() if line.startswith('accuracy/top1:')))
    assert accuracies[0] == accuracies[1]
    code, out, err = call('export_student.py', config, 'run/epoch_1.pth', 'student.pth')
    assert code == 0 and out.strip() == 'student.pth: loads strictly, greatest difference of the outputs 0'
    plain = str(ROOT / 'configs' / 'baselines' / 'resnet8_digits.py')
    options = ['--cfg-options', 'test_dataloader.dataset.indices=64']
    code, out, err = call('test.py', plain, 'student.pth', *options)
    assert code == 0 and accuracies[0] in out
    # another teacher: the RipsNet is refused
    save_file(
        dict(state_dict={name: tensor + 1 for name, tensor in teacher.state_dict().items()}), tmp_path / 'teacher.pth'
    )
    code, out, err = call('train.py', config)
    assert code == 1 and "its RipsNet was trained on the clouds of teacher 'resnet20_digits'" in err
    code, out, err = call('gen_pi.py', config)
    assert code == 1 and 'was made for another config (teacher_fingerprint' in err


def test_exact_images_need_no_preparation_and_train_resumes(call, pair):
    config = pair(**EXACT)
    assert call('train.py', config, '--work-dir', 'run')[0] == 0
    code, out, err = call(
        'train.py', config, '--work-dir', 'run', '--resume', '--cfg-options', 'train_cfg.max_epochs=2'
    )
    assert code == 0 and os.path.isfile('run/epoch_2.pth')
    first, second = (load_file(f'run/epoch_{epoch}.pth')['state_dict'] for epoch in (1, 2))
    assert second['losses.topology.vectorizer.fitted_batches'] > first['losses.topology.vectorizer.fitted_batches'] > 0


def test_amp_trains_with_or_without_a_gpu(call, pair):
    for name, words in dict(half=['--amp'], full=[]).items():
        # MMEngine names a training by the second, and two of one name and process share a memory of their checkpoints
        options = ['--work-dir', name, '--cfg-options', f'experiment_name={name}']
        assert call('train.py', pair(**EXACT), *words, *options)[0] == 0
    half, full = (load_file(f'{name}/epoch_1.pth')['state_dict'] for name in ('half', 'full'))
    weight = next(key for key in full if key.startswith('student.') and key.endswith('conv1.weight'))
    assert half[weight].dtype == torch.float32 and not torch.equal(half[weight], full[weight])


@pytest.mark.parametrize(
    'options, message',
    [
        (
            {'model.losses.topology.student_tap': 'backbone.layer7'},
            "CIFARResNet has no module 'layer7'; it has: stem, layer1",
        ),
        (
            {'model.losses.topology.student_tap': 'neck'},
            'must be one tensor, got a tuple of 1: name one of its outputs',
        ),
        ({'model.losses.topology.cloud.num_points': 100}, 'a cloud needs 100 points, got a batch of 64 images'),
        (
            {'model.losses.topology.vectorizer': dict(type='RipsNet', in_channels=64, operator='max')},
            "'mean' or 'sum', got 'max'",
        ),
        ({'model.losses.topology.vectorizer.homology_dims': (3,)}, 'homology_dims must be'),
        ({'model.teacher.checkpoint': 'nowhere.pth'}, "checkpoint 'nowhere.pth' does not exist"),
        ({'floor': {'accuracy/top1': 100.5}}, 'must reach accuracy/top1 100.5'),
    ],
)
def test_bad_configs_end_in_one_sentence(call, pair, options, message):
    code, out, err = call('train.py', pair(**{**EXACT, **options}))
    sentence = err.strip().splitlines()[-1]
    assert code == 1 and sentence.startswith('error: ') and message in sentence


def test_ripsnet_of_other_clouds(call, pair, tmp_path):
    from topkd.models import RipsNet

    cases = [
        (RipsNet(32).to_file(), 'RipsNet was trained on points of width 32'),
        (
            RipsNet(64).to_file(source=dict(num_points=8)),
            'RipsNet was trained on clouds with num_points 8, the config asks for 64',
        ),
        (
            RipsNet(64).to_file(source=dict(normalization='unit_norm')),
            "with normalization 'unit_norm', the config asks for 'none'",
        ),
        (
            RipsNet(64).to_file(source=dict(tap='backbone.layer1')),
            "with tap 'backbone.layer1', the config asks for 'neck[0]'",
        ),
        (RipsNet(64, homology_dims=(1,)).to_file(), 'has homology_dims [1], the config asks for [0]'),
        (RipsNet(64).to_file(source=dict(teacher='x', teacher_fingerprint='0')), "clouds of teacher 'x'"),
    ]
    for content, message in cases:
        save_file(content, tmp_path / 'ripsnet.pth')
        code, out, err = call(
            'train.py', pair(**{'model.losses.topology.vectorizer.checkpoint': str(tmp_path / 'ripsnet.pth')})
        )
        assert code == 1 and message in err, err
    (tmp_path / 'ripsnet.pth').write_bytes((tmp_path / 'ripsnet.pth').read_bytes()[:1000])
    code, out, err = call(
        'train.py', pair(**{'model.losses.topology.vectorizer.checkpoint': str(tmp_path / 'ripsnet.pth')})
    )
    assert code == 1 and 'cannot be read as a checkpoint of weights' in err


def test_missing_config(call):
    code, out, err = call('train.py', 'configs/none.py')
    assert code == 1 and err.startswith("error: config 'configs/none.py' does not exist: name a file of configs/")


def test_checkpoint_that_does_not_fit(call, pair, tmp_path):
    save_file(dict(state_dict=dict(a=torch.zeros(1))), tmp_path / 'a.pth')
    code, out, err = call('test.py', pair('baselines/resnet8_digits.py'), tmp_path / 'a.pth')
    assert code == 1 and 'does not fit ImageClassifier' in err and '1 unexpected: a)' in err


def test_broken_data_folder(call, tmp_path):
    code, out, err = call(
        'train.py',
        ROOT / 'configs' / 'baselines' / 'resnet20_cifar100.py',
        '--cfg-options',
        f'data_root={tmp_path}/none',
        'train_dataloader.dataset.download=False',
    )
    assert code == 1 and f'{tmp_path}/none' in err and 'Traceback' not in err
