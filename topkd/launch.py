"""Process groups and registries for what runs outside MMEngine's runner, and for runs without a GPU."""

import torch
from mmengine.config import Config
from mmengine.dist import init_dist, is_distributed
from mmengine.hooks import CheckpointHook
from mmengine.registry import DATASETS, HOOKS, Registry, init_default_scope

# MMEngine's own pattern, and the shares of the terms
AVERAGED = r'.*(loss|time|data_time|grad_norm|share_).*'
# what every training gets, in this order
TRAINING_HOOKS = (
    'TrainingCheckHook',
    'StepSeedHook',
    'TrainingSetHook',
    'CohortHook',
    'MemberCurvesHook',
    'TrainingStateHook',
    'SameBuffersHook',
    'ResumedValidationHook',
)


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

    A training on nothing is refused, see :class:`topkd.hooks.TrainingCheckHook`.

    A training that is killed and resumed ends as the one that was not: random numbers depend on the step
    (:class:`topkd.hooks.StepSeedHook`) and on a sample's place in the epoch (:class:`topkd.datasets.SeededDataset`),
    checkpoints are written whole (:class:`topkd.hooks.ResumableCheckpointHook`) and hold what is no weight
    (:class:`topkd.hooks.TrainingStateHook`), a validation that was lost is made up for
    (:class:`topkd.hooks.ResumedValidationHook`), and all processes validate the network that is saved
    (:class:`topkd.hooks.SameBuffersHook`). Losses are told the training set, see
    :class:`topkd.hooks.TrainingSetHook`; members of a cohort are evaluated each and drawn in one picture, see
    :class:`topkd.hooks.CohortHook` and :class:`topkd.hooks.MemberCurvesHook`;
    weights lie as convolutions are fastest, see :class:`topkd.hooks.MemoryFormatHook`; the shares in the log are
    averaged over the same steps as the losses beside them.

    Args:
        cfg (Config): Of a training; changed in place.
    """
    custom, names = list(cfg.get('custom_hooks') or []), [f'topkd.{name}' for name in TRAINING_HOOKS]
    # a config that a training dumped has them already, and one may give this hook arguments of its own
    given = [hook for hook in custom if _name(hook) == 'topkd.MemoryFormatHook'][-1:]
    added = given or [dict(type='topkd.MemoryFormatHook')]
    kept = [hook for hook in custom if _name(hook) not in [*names, 'topkd.MemoryFormatHook']]
    cfg.custom_hooks = [*kept, *(dict(type=name) for name in names), *added]
    cfg.log_processor = dict(dict(mean_pattern=AVERAGED), **(cfg.get('log_processor') or {}))
    _resumable_checkpoints(cfg)
    _seeded_data(cfg.train_dataloader)


def _resumable_checkpoints(cfg: Config) -> None:
    """Put this package's checkpoint hook in the place of MMEngine's, whatever the config calls it."""
    hooks = dict(cfg.get('default_hooks') or {})
    checkpoint = dict(hooks.get('checkpoint') or dict(type='CheckpointHook', interval=1))
    if _class(HOOKS, checkpoint) is CheckpointHook:
        checkpoint['type'] = 'topkd.ResumableCheckpointHook'
    cfg.default_hooks = dict(hooks, checkpoint=checkpoint)


def _seeded_data(loader: dict) -> None:
    """Let a training's samples draw random numbers that depend on their place in the epoch alone."""
    from topkd.datasets.seeded import SeededDataset  # brings all data sets with it, which planning can do without

    if _class(DATASETS, loader['dataset']) is not SeededDataset:
        loader['dataset'] = dict(type='topkd.SeededDataset', dataset=loader['dataset'])
        loader['sampler'] = dict(type='topkd.SeededSampler', sampler=loader['sampler'])


def _name(hook: object) -> object:
    return hook.get('type') if isinstance(hook, dict) else None


def _class(registry: Registry, config: dict) -> object:
    """Return the class that a component's config names, None if the registry does not know it."""
    kind = config['type']
    return registry.get(kind) if isinstance(kind, str) else kind


def wrapper_without_gpu() -> dict:
    """Return MMEngine's ``model_wrapper_cfg`` for a model on the CPU."""
    return dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False, find_unused_parameters=False
    )
