"""Look for all that a tool needs for a config."""

import os
from typing import Literal

from mmengine.config import Config
from mmengine.registry import init_default_scope

from topkd.artifacts.settings import CLOUDS, RIPSNET
from topkd.preflight.artifacts import check_clouds, check_new_clouds, check_ripsnets, lacks_clouds
from topkd.preflight.data import check_data
from topkd.preflight.findings import Findings
from topkd.preflight.names import check_names
from topkd.preflight.networks import (
    check_cloud_students,
    check_featurizer,
    check_pretrained,
    check_start,
    check_teacher,
)
from topkd.preflight.room import bytes_of_training
from topkd.preflight.settings import check_loaders, check_schedule, check_settings
from topkd.preflight.structure import check_structure
from topkd.preflight.types import check_types
from topkd.utils.disk import check_room

Task = Literal['train', 'gen_pi', 'train_ripsnet', 'test']
LOADERS = {
    'train': ('train_dataloader', 'val_dataloader'),
    'gen_pi': ('train_dataloader',),
    'test': ('test_dataloader',),
}


def check_run(cfg: Config, task: Task, loss: str = 'topology') -> None:
    """Refuse to start a run that lacks something, and list all of it in the order in which it is to be got.

    Args:
        cfg (Config): The run's, with its options merged.
        task (str): 'train', 'gen_pi', 'train_ripsnet' or 'test'.
        loss (str): Name of the topology loss, for the two tools before a training. Defaults to 'topology'.

    Raises:
        ValueError: If something is missing or wrong; one sentence for each such thing.
    """
    findings = Findings(cfg)
    look(cfg, task, findings, loss)
    findings.refuse()


def look(cfg: Config, task: Task, findings: Findings, loss: str = 'topology') -> None:
    """Do what :func:`check_run` does, without refusing."""
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    if not _has_shape(cfg, findings):
        return  # whoever looks further takes it for granted
    for settings in (CLOUDS, RIPSNET):
        findings.look(settings.complete, cfg.get(settings.name))
    if task == 'train_ripsnet':
        if lacks_clouds(cfg, loss, findings):  # what makes them has needs of its own
            look(cfg, 'gen_pi', findings, loss)
        check_clouds(cfg, loss, findings)
        return
    check_settings(cfg, findings)
    check_loaders(cfg, LOADERS[task], findings)
    check_data(cfg, LOADERS[task], findings)
    if task == 'gen_pi':
        check_teacher(cfg.model.get('teacher'), findings)
        check_cloud_students(cfg, findings)
        check_new_clouds(cfg, loss, findings)
    if task == 'train':
        _look_at_training(cfg, findings)


def _has_shape(cfg: Config, findings: Findings) -> bool:
    """Look whether entries, names and types are such that the rest of a config can be read."""
    before = len(findings.problems)
    for check in (check_structure, check_names, check_types):
        if len(findings.problems) == before:
            findings.look(check, cfg)
    return len(findings.problems) == before


def _look_at_training(cfg: Config, findings: Findings) -> None:
    check_teacher(cfg.model.get('teacher'), findings)
    check_schedule(cfg, findings)
    check_start(cfg, findings)
    check_featurizer(cfg.model.get('featurizer'), findings)
    check_pretrained(cfg, findings)
    check_ripsnets(cfg, int(os.environ.get('WORLD_SIZE', 1)), findings)
    if not findings.problems:  # the size of a network follows from a config that is right
        findings.look(check_room, cfg.work_dir, bytes_of_training(cfg))
