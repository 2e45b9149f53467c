"""Configs of the documents: read, and what they describe is built, without weights and data."""

import copy
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import HOOKS, MODELS
from pages import Block

from topkd.command.pair_trial import tried
from topkd.launch import setup_processes
from topkd.utils.config import read_config, with_preprocessor

# the config that a part of a config is shown for, by page
PARTS = {
    'README.md': 'topkd::topkd/resnet56-resnet20_cifar100_exact.py',
    'docs/gpu.md': 'topkd::cohorts/resnet56-resnet20_cifar100.py',
    'docs/methods.md': ['topkd::_base_/pairs/resnet56-resnet20_cifar100.py', 'topkd::_base_/losses/dkd.py'],
}


def check_config(block: Block) -> None:
    """Build the model and the hooks of a config, or of a part of one beside what its page shows it for."""
    whole = '_base_ =' in block.text
    text = block.text if whole else f'_base_ = {PARTS[block.page]!r}\n{block.text}'
    path = Path(f'block_{block.line}.py')
    path.write_text(text, encoding='utf-8')
    check_file(path)


def check_file(path: Path) -> None:
    """Build the model and the hooks of a config."""
    cfg = read_config(str(path))
    if cfg.model.type == 'topkd.Distiller':
        assert tried(path), f'{path} has no losses'
    else:
        build(cfg)
    for hook in cfg.get('custom_hooks', []):
        HOOKS.build(copy.deepcopy(hook))


def build(cfg: Config) -> None:
    """Build a model that is no distiller; a teacher gets random weights."""
    cfg.launcher = 'none'
    setup_processes(cfg)
    model = with_preprocessor(cfg.model, cfg)
    if 'teacher' in model:
        model['teacher'] = dict(model['teacher'], checkpoint=None)
    MODELS.build(model)
