"""Losses are told the training set before a training."""

from mmengine.runner import Runner
from small import build, distiller

import topkd.models.losses.crd_loss  # noqa: F401
from topkd.hooks import TrainingSetHook


def test_crd_trains_on_digits_and_resumes(digits_config):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    cfg.model.losses = dict(crd=dict(type='topkd.CRDLoss', num_samples=256, num_negatives=32, loss_weight=0.8))
    cfg.merge_from_dict({'train_cfg.max_epochs': 1, 'experiment_name': 'crd_1'})
    cfg.custom_hooks = [dict(type='topkd.StudentCheckpointHook'), dict(type='topkd.TrainingSetHook')]
    runner = Runner.from_cfg(cfg)
    before = runner.model.losses.crd.student_bank.embeddings.clone()
    runner.train()
    bank = runner.model.losses.crd.student_bank.embeddings
    assert (bank != before).any(1).all()
    cfg.merge_from_dict({'train_cfg.max_epochs': 2, 'resume': True, 'experiment_name': 'crd_2'})
    resumed = Runner.from_cfg(cfg)
    resumed.train()
    assert resumed.epoch == 2 and resumed.model.losses.crd.negatives is not None


def test_every_loss_is_asked():
    asked = []
    model = build(distiller())
    for loss in model.losses.values():
        loss.prepare = asked.append
    runner = type('Runner', (), dict(model=model, train_dataloader=type('Loader', (), dict(dataset='set'))))
    TrainingSetHook().before_train(runner)
    assert asked == ['set', 'set']
