"""Students are laid out as the hook says, and what is compared is laid out alike."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import Runner
from small import build, classifier, distiller

from topkd.hooks import MemoryFormatHook
from topkd.optim import Bfloat16OptimWrapper
from topkd.training_setup import prepare_training


def is_channels_last(model: torch.nn.Module) -> bool:
    return model.backbone.layer1[0].conv1.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize('chosen, expected', [('auto', True), ('channels_last', True), ('contiguous', False)])
def test_weights_are_laid_out(chosen, expected):
    model = build(classifier(8))
    values = {key: value.clone() for key, value in model.state_dict().items()}
    MemoryFormatHook(chosen).before_train(SimpleNamespace(model=model, optim_wrapper=None))
    assert is_channels_last(model) == expected
    assert all(torch.equal(value, values[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize(
    'kind, expected',
    [(AmpOptimWrapper, 'channels_last'), (Bfloat16OptimWrapper, 'channels_last'), (OptimWrapper, 'contiguous')],
)
def test_a_gpu_takes_channels_last_in_half_precision(kind, expected):
    wrapper = kind.__new__(kind)
    runner = SimpleNamespace(model=torch.nn.Linear(1, 1, device='meta'), optim_wrapper=wrapper)
    assert MemoryFormatHook()._chosen(runner) == expected


def test_wrapped_models_are_left_alone():
    model = MMDistributedDataParallel.__new__(MMDistributedDataParallel)  # has no weights: a touch would be an error
    MemoryFormatHook().before_train(SimpleNamespace(model=model, optim_wrapper=None))


def run(digits_config, tmp_path, name: str, model: dict) -> Runner:
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    cfg.data_preprocessor.update(crop_padding=1, flip_prob=0.5)
    cfg.model, cfg.work_dir, cfg.experiment_name = model, str(tmp_path / name), name
    cfg.train_cfg.max_epochs = 1
    cfg.optim_wrapper.update(clip_grad=dict(max_norm=0.5), accumulative_counts=2)
    cfg.custom_hooks = []
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    prepare_training(cfg)
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def test_a_member_equals_its_single_run_in_the_faster_format(digits_config, tmp_path):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    student, teacher = cfg.model.student.to_dict(), cfg.model.teacher.to_dict()
    losses = dict(kd=dict(type='KDLoss', tau=4.0), at=dict(type='topkd.ATLoss', loss_weight=100.0, student_tap='@maps'))
    members = dict(plain=dict(student=student, losses={}), both=dict(student=student, losses=losses))
    together = run(digits_config, tmp_path, 'together', dict(type='topkd.Cohort', teacher=teacher, members=members))
    single = dict(type='topkd.Distiller', student=student, teacher=teacher, losses=losses)
    for name, model in (('plain', dict(student)), ('both', single)):
        alone = run(digits_config, tmp_path, name, model).model
        member = together.model.members[name]
        member = member.student if name == 'plain' else member
        assert is_channels_last(member if name == 'plain' else member.student)
        for key, value in alone.state_dict().items():
            assert torch.equal(value, member.state_dict()[key]), (name, key)


def test_a_config_that_names_the_hook_keeps_its_arguments(digits_config):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    cfg.custom_hooks = [dict(type='topkd.MemoryFormatHook', memory_format='contiguous')]
    prepare_training(cfg)
    found = [hook for hook in cfg.custom_hooks if hook['type'] == 'topkd.MemoryFormatHook']
    assert found == [dict(type='topkd.MemoryFormatHook', memory_format='contiguous')]


def test_distillation_losses_take_features_in_channels_last():
    logs = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(0)
        model = build(distiller()).to(memory_format=memory_format).train()
        inputs = torch.randn(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
        data = model.data_preprocessor(
            dict(inputs=torch.zeros(8, 3, 16, 16, dtype=torch.uint8), gt_label=torch.arange(8)), True
        )
        logs.append(model(inputs, data['data_samples'], mode='loss'))
    for key, value in logs[0].items():
        torch.testing.assert_close(logs[1][key], value, rtol=1e-4, atol=1e-5)
