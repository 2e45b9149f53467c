"""Process groups and registries for what runs outside MMEngine's runner, and for runs without a GPU."""

import torch
from mmengine.config import Config
from mmengine.dist import init_dist, is_distributed
from mmengine.registry import init_default_scope

# MMEngine's own pattern, and the shares of the terms
AVERAGED = r'.*(loss|time|data_time|grad_norm|share_).*'


def setup_processes(cfg: Config) -> None:
    """Prepare what MMEngine's runner prepares itself: the registries' scope and, with a launcher, the process group.

    MMEngine's launcher takes a GPU for granted. Without one the processes talk over gloo, and DistributedDataParallel
    is told that the model lies on the CPU.

    Args:
        cfg (Config): A config with ``launcher``; changed in place.
    """
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    if cfg.get('launcher', 'none') == 'none' or is_distributed():
        return
    if 'members' in cfg.get('model', {}):
        cfg.model_wrapper_cfg = dict(type='topkd.CohortDataParallel')
    if torch.cuda.is_available():
        init_dist(cfg.launcher, **cfg.get('env_cfg', {}).get('dist_cfg', {}))
        return
    torch.distributed.init_process_group('gloo')
    cfg.setdefault('model_wrapper_cfg', wrapper_without_gpu())


def prepare_training(cfg: Config) -> None:
    """Add what every training gets, whatever its config inherits from.

    Random numbers depend on the step, see :class:`topkd.hooks.StepSeedHook`; losses are told the training set, see
    :class:`topkd.hooks.TrainingSetHook`; members of a cohort are evaluated each, see :class:`topkd.hooks.CohortHook`;
    the shares in the log are averaged over the same steps as the losses beside
    them.

    Args:
        cfg (Config): Of a training; changed in place.
    """
    hooks = [dict(type=f'topkd.{name}') for name in ('StepSeedHook', 'TrainingSetHook', 'CohortHook')]
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), *hooks]
    cfg.log_processor = dict(dict(mean_pattern=AVERAGED), **(cfg.get('log_processor') or {}))


def wrapper_without_gpu() -> dict:
    """Return MMEngine's ``model_wrapper_cfg`` for a model on the CPU."""
    return dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False, find_unused_parameters=False
    )
