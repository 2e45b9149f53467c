"""Trainings that would run and be worth nothing."""

import pytest
import torch
from mmengine.registry import MODELS
from mmengine.runner import Runner
from small import build, distiller

from topkd.hooks import TrainingCheckHook
from topkd.hooks.training_check_hook import check_classes
from topkd.utils.checkpoint import save_file


def start(cfg) -> Runner:
    cfg.custom_hooks = [dict(type='topkd.TrainingCheckHook')]
    cfg.train_cfg.max_epochs = 1
    cfg.experiment_name = f'check_{torch.rand(1).item()}'
    return Runner.from_cfg(cfg)


def test_no_batch(digits_config):
    cfg = digits_config('baselines/resnet8_digits.py', **{'train_dataloader.dataset.indices': 63})
    with pytest.raises(ValueError, match='train_dataloader makes no batch of its 63 samples, batch_size is 64'):
        start(cfg).train()


def test_more_classes_than_outputs(digits_config):
    cfg = digits_config('baselines/resnet8_digits.py', **{'model.head.num_classes': 5})
    with pytest.raises(
        ValueError, match='has 10 classes, but head has only 5 outputs: set num_classes of that head to 10'
    ):
        start(cfg).train()
    few = type('Data', (), dict(metainfo=dict(classes=list('abcdefghijk'))))
    with pytest.raises(ValueError, match='11 classes, but student.head has only 10 outputs'):
        check_classes('x', few, build(distiller()))


def test_load_from_another_network(digits_config, tmp_path):
    other = MODELS.build(digits_config('baselines/resnet20_digits.py').model)
    save_file(dict(state_dict=other.state_dict()), tmp_path / 'other.pth')
    cfg = digits_config('baselines/resnet8_digits.py')
    cfg.load_from = str(tmp_path / 'other.pth')
    with pytest.raises(
        ValueError, match=r"other.pth' does not fit ImageClassifier \(\d+ unexpected: backbone.layer1.1"
    ):
        start(cfg).train()
    cfg = digits_config('baselines/resnet8_digits.py')
    own = MODELS.build(cfg.model)
    save_file(dict(state_dict=own.state_dict()), tmp_path / 'own.pth')
    cfg.load_from = str(tmp_path / 'own.pth')
    start(cfg).train()


def test_a_training_starts_from_another_number_of_classes_but_is_not_resumed_from_it(digits_config, tmp_path):
    cfg = digits_config('baselines/resnet8_digits.py')
    source = MODELS.build(dict(cfg.model, head=dict(cfg.model.head, num_classes=7)))
    meta = dict(epoch=1, iter=4)
    save_file(dict(state_dict=source.state_dict(), meta=meta), tmp_path / 'seven.pth')
    cfg.load_from = str(tmp_path / 'seven.pth')
    start(cfg).train()
    cfg.resume = True
    with pytest.raises(ValueError, match='2 of another shape: head.fc.weight'):
        start(cfg).train()
    save_file(dict(state_dict=source.state_dict()), tmp_path / 'seven.pth')
    with pytest.raises(ValueError, match='holds weights alone, a training is resumed from what it wrote'):
        start(cfg).train()


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(state_dict=True), 'broken.pth. holds no weights: name the checkpoint of a network'),
        (dict(state_dict=[1]), 'broken.pth. holds no weights: name the checkpoint of a network'),
        (dict(meta=3), 'holds weights alone, a training is resumed from what it wrote'),
    ],
)
def test_a_training_is_not_resumed_from_what_holds_no_weights_or_no_step(digits_config, tmp_path, change, message):
    cfg = digits_config('baselines/resnet8_digits.py')
    content = dict(state_dict=MODELS.build(cfg.model).state_dict(), meta=dict(epoch=1, iter=4))
    save_file(dict(content, **change), tmp_path / 'broken.pth')
    cfg.load_from, cfg.resume = str(tmp_path / 'broken.pth'), True
    with pytest.raises(ValueError, match=message):
        start(cfg).train()


def test_weights_that_are_not_finite_are_not_saved():
    hook, runner = TrainingCheckHook(), type('Runner', (), dict(iter=7, model=torch.nn.Identity()))
    hook.before_save_checkpoint(runner, dict(state_dict=dict(a=torch.zeros(2), b=torch.ones(1).long())))
    with pytest.raises(FloatingPointError, match='1 weights must be finite, got nan or inf after iteration 7 .*is a'):
        hook.before_save_checkpoint(runner, dict(state_dict=dict(a=torch.tensor([0.0, torch.inf]))))


def test_a_memory_takes_its_size_from_the_checkpoint():
    class Network(torch.nn.Module):
        def __init__(self, images: int):
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)
            self.register_buffer('memory', torch.zeros(images, 2))

    content = dict(state_dict=Network(8).state_dict(), meta=dict(epoch=1, iter=2))
    runner = type('Runner', (), dict(model=Network(0), _resume=True, _load_from='a.pth'))
    TrainingCheckHook().after_load_checkpoint(runner, content)
    runner.model = Network(4)
    with pytest.raises(ValueError, match='1 of another shape: memory'):
        TrainingCheckHook().after_load_checkpoint(runner, content)
