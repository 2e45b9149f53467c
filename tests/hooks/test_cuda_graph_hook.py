"""A whole training by the hook: schedule, logs, checkpoints, resume and an uneven last batch."""

import json

import pytest
import torch
from fake_graphs import FakeGraphs
from mmengine.runner import Runner

from topkd.hooks import CudaGraphHook
from topkd.utils.checkpoint import load_file

EPOCHS = 3


def runner(digits_config, tmp_path, name: str, hook: CudaGraphHook | None, resume: str | None = None):
    """Return the runner of a cohort whose epochs end with an uneven batch, and whose learning rate falls by step."""
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    student, teacher, kd = (cfg.model[key].to_dict() for key in ('student', 'teacher', 'losses'))
    teacher['memory_format'] = 'contiguous'
    members = dict(plain=dict(student=student, losses={}), KD=dict(student=student, losses=dict(kd=kd['kd'])))
    cfg.model = dict(type='topkd.Cohort', teacher=teacher, members=members)
    cfg.work_dir, cfg.experiment_name = str(tmp_path / name), f'graph_{name}'
    cfg.train_dataloader.update(batch_size=40, drop_last=False)  # 6 of 40 images and one of 16
    cfg.train_cfg.max_epochs = EPOCHS
    cfg.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=-1)
    cfg.optim_wrapper.optimizer.fused = True
    cfg.param_scheduler = [dict(type='PolyLR', eta_min=0.0, by_epoch=False, begin=0, end=7 * EPOCHS)]
    cfg.custom_hooks = [dict(type=f'topkd.{kind}') for kind in ('StepSeedHook', 'CohortHook', 'TrainingStateHook')]
    cfg.custom_hooks += [dict(type='topkd.ResultHook'), dict(type='topkd.StudentCheckpointHook')]
    if resume is not None:
        cfg.resume, cfg.load_from = True, resume
    built = Runner.from_cfg(cfg)
    if hook is not None:
        built.register_hook(hook)
    return built


def records(built) -> dict[str, list[float]]:
    scalars = built.message_hub.log_scalars
    return {key: scalars[key].data[0].tolist() for key in ('train/KD/loss', 'train/plain/loss', 'train/lr')}


@pytest.fixture
def eager(digits_config, tmp_path):
    built = runner(digits_config, tmp_path, 'eager', None)
    built.train()
    return built


def test_a_graphed_training_is_the_eager_one(digits_config, tmp_path, eager):
    backend = FakeGraphs()
    built = runner(digits_config, tmp_path, 'graphed', CudaGraphHook(backend))
    built.train()
    # step 0 is eager and measures gradients; so are the last of each epoch
    assert backend.seen == ['aside'] * 3 + ['capture'] + ['replay'] * (6 * EPOCHS - 4)
    expected = records(eager)
    for key, values in records(built).items():
        # the schedule's numbers are doubles, the graph holds singles
        assert values == pytest.approx(expected[key], rel=1e-3, abs=1e-3), key
    assert len(set(expected['train/lr'])) > 10
    for key, value in built.model.state_dict().items():
        assert torch.allclose(value, eager.model.state_dict()[key], rtol=1e-3, atol=1e-4), key
    results = json.loads((tmp_path / 'graphed/results.json').read_text())['members']
    assert set(results) == {'plain', 'KD'} and results['KD']['last']['epoch'] == EPOCHS
    assert 'step' not in vars(built.model)


def test_a_resumed_graphed_training_ends_as_the_one_that_was_not_killed(digits_config, tmp_path):
    whole = runner(digits_config, tmp_path, 'whole', CudaGraphHook(FakeGraphs()))
    whole.train()
    saved = str(tmp_path / 'whole/epoch_1.pth')
    assert load_file(saved)['training_state']['gradients'] == {}
    backend = FakeGraphs()
    resumed = runner(digits_config, tmp_path, 'resumed', CudaGraphHook(backend), saved)
    resumed.train()
    assert backend.seen.count('capture') == 1
    for key, value in resumed.model.state_dict().items():
        assert torch.allclose(value, whole.model.state_dict()[key], rtol=1e-4, atol=1e-5), key


def test_a_training_without_a_gpu_is_as_without_the_hook(digits_config, tmp_path, eager, monkeypatch):
    lines = []
    monkeypatch.setattr('topkd.hooks.cuda_graph_hook.print_log', lambda text, *args: lines.append(text))
    built = runner(digits_config, tmp_path, 'hooked', CudaGraphHook())
    built.train()
    assert lines == ['steps run eagerly, no graph is captured: the model is not on a GPU']
    assert all(torch.equal(value, eager.model.state_dict()[key]) for key, value in built.model.state_dict().items())
