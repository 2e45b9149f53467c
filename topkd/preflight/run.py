"""Look for all that a tool needs for a config."""

import os
from typing import Literal

from mmengine.config import Config
from mmengine.registry import init_default_scope

from topkd.preflight.artifacts import check_clouds, check_new_clouds, check_ripsnets
from topkd.preflight.data import check_data
from topkd.preflight.findings import Findings
from topkd.preflight.networks import check_checkpoint, check_pretrained, check_teacher
from topkd.preflight.settings import check_loaders, check_room, check_schedule, check_settings
from topkd.preflight.structure import check_structure
from topkd.preflight.types import check_types

Task = Literal['train', 'gen_pi', 'train_ripsnet', 'test']


def check_run(cfg: Config, task: Task, loss: str = 'topology') -> None:
    """Refuse to start a run that lacks something, and list all of it in the order in which it is to be got.

    Args:
        cfg (Config): The run's, with its options merged.
        task (str): 'train', 'gen_pi', 'train_ripsnet' or 'test'.
        loss (str): Name of the topology loss, for the two tools before a training. Defaults to 'topology'.

    Raises:
        ValueError: If with one sentence for each thing that is missing.
    """
    findings = Findings(cfg)
    look(cfg, task, findings, loss)
    findings.refuse()


def look(cfg: Config, task: Task, findings: Findings, loss: str = 'topology') -> None:
    """Do what :func:`check_run` does, without refusing."""
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    findings.look(check_structure, cfg)
    if not findings.problems:
        findings.look(check_types, cfg)
    if findings.problems:
        return  # whoever looks further takes the shape for granted
    model = cfg.model
    if task == 'train_ripsnet':
        check_clouds(cfg, loss, findings)
        return
    loaders = {
        'train': ('train_dataloader', 'val_dataloader'),
        'gen_pi': ('train_dataloader',),
        'test': ('test_dataloader',),
    }[task]
    check_settings(cfg, findings)
    check_loaders(cfg, loaders, findings)
    check_data(cfg, loaders, findings)
    if task == 'test':
        return
    findings.look(check_room, cfg.work_dir)
    check_teacher(model.get('teacher'), findings)
    if task == 'gen_pi':
        check_new_clouds(cfg, loss, findings)
        return
    check_schedule(cfg, findings)
    if isinstance(cfg.get('load_from'), str):
        findings.look(check_checkpoint, cfg.load_from, 'load_from', 'load_from')
    check_pretrained(cfg, findings)
    check_ripsnets(cfg, int(os.environ.get('WORLD_SIZE', 1)), findings)
