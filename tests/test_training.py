"""The order of a training, with a runner that trains nothing."""

import pytest
from mmengine.registry import RUNNERS

from topkd.training import train
from topkd.utils.config import FormattedOnce
from topkd.utils.lock import working_in

BASELINE = 'baselines/resnet8_digits.py'
SEEN = []


def is_free(folder: str) -> bool:
    try:
        with working_in(folder, 'looking', wait=False):
            return True
    except BlockingIOError:
        return False


@RUNNERS.register_module(force=True)
class LookingRunner:
    """Notes what a training's runner is given, and whether the folder is its own."""

    @classmethod
    def from_cfg(cls, cfg):
        made = cls()
        made.cfg = cfg
        return made

    def train(self):
        SEEN.append((self.cfg, is_free(self.cfg.work_dir)))


@pytest.fixture(autouse=True)
def nothing_seen():
    SEEN.clear()


def test_the_runner_of_the_config_is_given_a_prepared_one_in_a_locked_folder(digits_config):
    cfg = digits_config(BASELINE, runner_type='LookingRunner')
    train(cfg)
    ((given, free),) = SEEN
    assert not free and is_free(cfg.work_dir)
    assert isinstance(given, FormattedOnce) and given.resume is False
    assert dict(type='topkd.TrainingCheckHook') in given.custom_hooks


def test_nothing_is_trained_that_lacks_something(digits_config):
    cfg = digits_config(BASELINE, runner_type='LookingRunner', train_cfg=dict(max_epochs=0))
    with pytest.raises(ValueError, match='max_epochs'):
        train(cfg)
    assert not SEEN and is_free(cfg.work_dir)


def test_a_schedule_that_counts_batches_needs_one(digits_config):
    warm_up = dict(type='LinearLR', start_factor=0.1, by_epoch=True, end=1, convert_to_iter_based=True)
    few = {'train_dataloader.dataset.indices': 63}
    with pytest.raises(ValueError, match='train_dataloader makes no batch of its 63 samples, batch_size is 64'):
        train(digits_config(BASELINE, param_scheduler=[warm_up], **few))
