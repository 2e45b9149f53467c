"""Hooks in a real training of a small pair on digits."""

import json
import os

import pytest
import torch
from mmengine.registry import MODELS
from mmengine.runner import Runner

from topkd.training_setup import prepare_training
from topkd.utils.checkpoint import load_file, load_weights
from topkd.utils.student_export import export_student, student_config

EMA = dict(type='EMAHook', momentum=0.5)


def train(cfg, **options) -> Runner:
    cfg.merge_from_dict({'train_cfg.max_epochs': 2, **options})
    cfg.experiment_name = f'hooks_{id(cfg)}_{len(os.listdir(cfg.work_dir)) if os.path.isdir(cfg.work_dir) else 0}'
    prepare_training(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def test_every_save_leaves_the_student_alone(digits_config):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    runner = train(cfg)
    files = sorted(name for name in os.listdir(cfg.work_dir) if name.endswith('.pth'))
    saved = [name for name in files if not name.startswith('student_')]
    assert any(name.startswith('best_') for name in saved) and 'epoch_2.pth' in saved
    assert files == sorted(saved + [f'student_{name}' for name in saved])
    plain = MODELS.build(digits_config('baselines/resnet8_digits.py').model)
    load_weights(plain, os.path.join(cfg.work_dir, 'student_epoch_2.pth'))
    for name, tensor in runner.model.student.state_dict().items():
        assert torch.equal(plain.state_dict()[name], tensor), name
    distillation = load_file(os.path.join(cfg.work_dir, 'epoch_2.pth'))['state_dict']
    assert not any('teacher' in key for key in distillation)


def test_student_files_follow_the_checkpoints_that_are_kept(digits_config):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    cfg.default_hooks.checkpoint.update(max_keep_ckpts=1, save_best=None)
    train(cfg)
    assert sorted(name for name in os.listdir(cfg.work_dir) if name.endswith('.pth')) == [
        'epoch_2.pth',
        'student_epoch_2.pth',
    ]


def test_averaged_weights_are_exported_and_raw_ones_on_request(digits_config, tmp_path):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    cfg.custom_hooks.append(EMA)
    runner = train(cfg)
    checkpoint = os.path.join(cfg.work_dir, 'epoch_2.pth')
    assert not any('teacher' in key for key in load_file(checkpoint)['ema_state_dict'])
    ema_hook = next(hook for hook in runner.hooks if type(hook).__name__ == 'EMAHook')
    averaged, raw = ema_hook.ema_model.module.student, runner.model.student
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    for which, network in (('ema', averaged), ('raw', raw)):
        out = str(tmp_path / f'{which}.pth')
        assert export_student(cfg, checkpoint, out, which) == 0
        weights = load_file(out)['state_dict']
        for name, parameter in network.named_parameters():
            assert torch.equal(weights[name], parameter.detach()), name
    student_file = load_file(os.path.join(cfg.work_dir, 'student_epoch_2.pth'))['state_dict']
    assert torch.equal(student_file['head.fc.weight'], averaged.head.fc.weight)


def test_export_refuses_what_is_no_distillation(digits_config, tmp_path):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    plain = MODELS.build(student_config(cfg))
    torch.save(dict(state_dict=plain.state_dict()), tmp_path / 'plain.pth')
    with pytest.raises(ValueError, match="holds no student .no key begins with 'student.'"):
        export_student(cfg, str(tmp_path / 'plain.pth'), str(tmp_path / 'out.pth'))
    with pytest.raises(KeyError, match='the config has no model.student'):
        export_student(
            digits_config('baselines/resnet8_digits.py'), str(tmp_path / 'plain.pth'), str(tmp_path / 'out.pth')
        )
    assert not (tmp_path / 'out.pth').exists()


def test_teacher_below_its_floor_stops_the_training_before_the_first_step(digits_config):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    cfg.model.teacher.floor = {'accuracy/top1': 90.0}
    with pytest.raises(
        ValueError, match=r"teacher 'resnet20_digits' must reach accuracy/top1 90.0, got .*check its checkpoint"
    ):
        train(cfg)
    assert not any(name.endswith('.pth') for name in os.listdir(cfg.work_dir))


def test_floor_of_an_unknown_metric(digits_config):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    cfg.model.teacher.floor = {'top1': 90.0}
    with pytest.raises(KeyError, match="names the metric 'top1', the evaluator computes accuracy/top1"):
        train(cfg)


def test_teacher_is_measured_as_a_plain_network_would_be(digits_config):
    runner = train(digits_config('kd/resnet20-resnet8_digits.py'))
    teacher = runner.model.teacher.module
    right = total = 0
    for batch in runner.val_dataloader:
        for sample in teacher(**runner.model.data_preprocessor(batch, False), mode='predict'):
            right += int(sample.pred_label.item() == sample.gt_label.item())
            total += 1
    assert runner.message_hub.get_info('teacher/accuracy/top1') == pytest.approx(100 * right / total)


def test_best_and_last_are_both_reported(digits_config):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    runner = train(cfg)
    with open(os.path.join(cfg.work_dir, 'results.json')) as file:
        results = json.load(file)
    history = [
        value for value, _ in [(runner.message_hub.get_scalar('val/accuracy/top1').data[0][i], i) for i in range(2)]
    ]
    assert results['last']['accuracy/top1'] == pytest.approx(history[-1])
    assert results['best']['accuracy/top1'] == pytest.approx(max(history))
    assert results['last']['epoch'] == 2 and 'accuracy/top1' in results['teacher']


def test_resume_goes_on_with_results_and_optimizer(digits_config):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    train(cfg, **{'train_cfg.max_epochs': 1})
    cfg = digits_config('kd/resnet20-resnet8_digits.py', resume=True)
    runner = train(cfg)
    assert runner.epoch == 2 and runner.iter == 8
    with open(os.path.join(cfg.work_dir, 'results.json')) as file:
        assert json.load(file)['last']['epoch'] == 2


def test_a_run_killed_in_its_last_validation_is_validated_when_it_is_resumed(digits_config):
    train(digits_config('kd/resnet20-resnet8_digits.py'))
    cfg = digits_config('kd/resnet20-resnet8_digits.py', resume=True)
    path = os.path.join(cfg.work_dir, 'results.json')
    with open(path) as file:
        whole = json.load(file)
    before = dict(whole, last=dict(whole['last'], epoch=1, iter=4))
    with open(path, 'w') as file:
        json.dump(before, file)
    train(cfg)
    with open(path) as file:
        assert json.load(file)['last'] == whole['last']
