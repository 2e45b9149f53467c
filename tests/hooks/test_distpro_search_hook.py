"""A search on the digits: the process moves, the student does not notice, a resumed search goes on the same."""

import json

import pytest
import torch
from mmengine.runner import Runner

from topkd.models.losses.distpro_loss import DistProLoss


def search(digits_config, epochs=1, lr=0.1, hook=True, resume=False, name='search'):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    cfg.model.losses = dict(distpro=dict(type='topkd.DistProLoss', search=True))
    cfg.train_dataloader.dataset.indices = 128
    cfg.search_dataloader = dict(cfg.train_dataloader, dataset=dict(type='topkd.Digits', split='train', indices=-128))
    cfg.merge_from_dict({'train_cfg.max_epochs': epochs, 'experiment_name': name, 'resume': resume})
    cfg.custom_hooks = [dict(type='topkd.StepSeedHook')]
    cfg.randomness = dict(seed=0)
    if hook:
        cfg.custom_hooks.append(dict(type='topkd.DistProSearchHook', lr=lr))
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def weights(runner):
    return {key: value.clone() for key, value in runner.model.student.state_dict().items()}


def test_a_search_leaves_a_process(digits_config, tmp_path):
    runner = search(digits_config)
    alphas = runner.model.losses.distpro.alphas
    assert not torch.equal(alphas, torch.ones(10)) and alphas.isfinite().all() and not alphas.requires_grad
    content = json.loads((tmp_path / 'work' / 'process.json').read_text())
    assert len(content['pathways']) == 10 and content['alphas'] == [pytest.approx(alphas.tolist())]
    reader = DistProLoss(process=str(tmp_path / 'work' / 'process.json'))
    reader.pairs = [tuple(pair) for pair in content['pathways']]
    assert torch.allclose(reader._read()[-1], alphas)


def test_the_student_does_not_notice_a_search_that_moves_nothing(digits_config):
    plain, searched = weights(search(digits_config, hook=False, name='plain')), weights(search(digits_config, lr=0.0))
    assert all(torch.equal(value, searched[key]) for key, value in plain.items())


def test_a_resumed_search_goes_on_the_same(digits_config, tmp_path):
    path = tmp_path / 'work' / 'process.json'
    search(digits_config, epochs=2, name='whole')
    expected = path.read_text()
    search(digits_config, epochs=1, name='first')
    search(digits_config, epochs=2, resume=True, name='second')
    assert path.read_text() == expected and len(json.loads(expected)['alphas']) == 2


def test_refusals(digits_config):
    def refused(**changes):
        cfg = digits_config('kd/resnet20-resnet8_digits.py')
        cfg.model.losses = dict(distpro=dict(type='topkd.DistProLoss', search=True))
        cfg.custom_hooks = [dict(type='topkd.DistProSearchHook')]
        cfg.merge_from_dict({'experiment_name': f'refused {len(changes)}', **changes})
        Runner.from_cfg(cfg).train()

    with pytest.raises(
        ValueError, match="'search_dataloader' is not in the config: add it, as configs/methods/search/ does"
    ):
        refused()
    with pytest.raises(ValueError, match='searches one process, the model has 0 DistProLoss with search=True'):
        refused(**{'model.losses.distpro.search': False})
    with pytest.raises(TypeError, match='looks one step of SGD ahead, the optimizer is Adam: train with SGD'):
        refused(**{'optim_wrapper.optimizer': dict(type='Adam', lr=0.1, _delete_=True), 'randomness.seed': 1})
