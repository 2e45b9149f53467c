"""Process groups and registries for what runs outside MMEngine's runner, and for runs without a GPU."""

import os

import torch
from mmengine.config import Config
from mmengine.dist import init_dist, is_distributed
from mmengine.registry import init_default_scope

# what each launcher tells every process
LAUNCHERS = dict(pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK')


def setup_processes(cfg: Config) -> None:
    """Prepare what MMEngine's runner prepares itself: the registries' scope and, with a launcher, the process group.

    MMEngine's launcher takes a GPU for granted. Without one the processes talk over gloo, and DistributedDataParallel
    is told that the model lies on the CPU.

    Args:
        cfg (Config): A config with ``launcher``; changed in place.

    Raises:
        ValueError: If this process was not started by the launcher.
    """
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    if cfg.get('launcher', 'none') == 'none' or is_distributed():
        return
    if 'members' in cfg.get('model', {}):
        cfg.model_wrapper_cfg = dict(type='topkd.CohortDataParallel')
    _check_launcher(cfg.launcher)
    if torch.cuda.is_available():
        init_dist(cfg.launcher, **cfg.get('env_cfg', {}).get('dist_cfg', {}))
        return
    torch.distributed.init_process_group('gloo')
    cfg.setdefault('model_wrapper_cfg', wrapper_without_gpu())


def _check_launcher(launcher: str) -> None:
    """Refuse a launcher whose processes this is none of.

    Raises:
        ValueError: Naming the variable of the environment that is missing.
    """
    variable = LAUNCHERS.get(launcher, 'RANK') if torch.cuda.is_available() else 'RANK'  # gloo reads RANK only
    if variable not in os.environ:
        raise ValueError(
            f'--launcher {launcher} needs the variable {variable}, which the launcher sets: start by '
            'tools/dist_train.sh or tools/slurm_train.sh, or leave --launcher out'
        )


def wrapper_without_gpu() -> dict:
    """Return MMEngine's ``model_wrapper_cfg`` for a model on the CPU."""
    return dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False, find_unused_parameters=False
    )
