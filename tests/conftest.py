"""Small networks, configs and artifacts that many tests share."""

import ast
import gc
import os
import signal
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import runner
from yapf.yapflib import yapf_api

import topkd  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault('OMP_NUM_THREADS', '1')
torch.set_num_threads(1)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a script that runs the tests in the background has it ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter):
    """Print which pages hold commands that are checked, not run."""
    from docs.exceptions import report

    if any('test_page_runs_on_small_data' in result.nodeid for result in terminalreporter.stats.get('passed', [])):
        terminalreporter.section('commands of documents that are checked, not run')
        for line in report():
            terminalreporter.write_line(line)


def pytest_collection_finish():
    """Let the collections of garbage that MMEngine asks for pass over all that was imported."""
    gc.collect(), gc.freeze()


def pytest_unconfigure():
    """Let the end of the process find what was imported: libraries would report it as leaked."""
    gc.unfreeze()


@pytest.fixture(autouse=True, scope='session')
def nothing_for_the_eye():
    """Check a config's text in place of laying it out, and describe the machine once.

    Every runner asks for both several times, and a layout takes half a second. Processes that tests start lay out.
    """

    def check(text: str, **style) -> tuple[str, bool]:
        ast.parse(text)
        return text, False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yapf_api, 'FormatCode', check)
        patch.setattr(runner, 'collect_env', cache(runner.collect_env))
        yield


@pytest.fixture(autouse=True, scope='session')
def choices(tmp_path_factory):
    """Keep what is measured once on a machine out of the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('TOPKD_CACHE', str(tmp_path_factory.getbasetemp().parent / 'topkd_cache'))
        yield


@pytest.fixture(autouse=True)
def scope():
    """Give every test the scope of the classification configs."""
    init_default_scope('mmpretrain')


@pytest.fixture
def digits_config(tmp_path):
    """Return a function that reads a digits config and points it at a temporary folder."""

    def read(name: str, **options) -> Config:
        cfg = Config.fromfile(ROOT / 'configs' / name)
        cfg.work_dir = str(tmp_path / 'work')
        cfg.train_dataloader.dataset.indices = 256
        cfg.val_dataloader.dataset.indices = 64
        cfg.test_dataloader.dataset.indices = 64
        if 'teacher' in cfg.model:
            cfg.model.teacher.checkpoint = cfg.model.teacher.floor = None
        cfg.launcher = 'none'
        cfg.merge_from_dict(options)
        return cfg

    return read
