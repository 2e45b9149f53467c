"""What ``tools/train.py`` adds to every training's config: nine hooks, seeded data, resumable checkpoints.

The hooks, in their order:

- :class:`topkd.hooks.TrainingCheckHook` refuses loaders that make no batch, weights of another network, and to save
  weights that are not finite.
- :class:`topkd.hooks.StepSeedHook` lets random numbers depend on the step.
- :class:`topkd.hooks.TrainingSetHook` tells the losses the training set.
- :class:`topkd.hooks.CohortHook` evaluates each member of a cohort, :class:`topkd.hooks.MemberCurvesHook` draws their
  curves in one picture; both do nothing without a cohort.
- :class:`topkd.hooks.TrainingStateHook` saves with a checkpoint what is no weight.
- :class:`topkd.hooks.SameBuffersHook` lets all processes validate the network that is saved.
- :class:`topkd.hooks.ResumedValidationHook` makes up for a validation that was lost.
- :class:`topkd.hooks.MemoryFormatHook` lays the weights as convolutions are fastest.

Besides them, samples draw random numbers by their place in the epoch (:class:`topkd.datasets.SeededDataset`),
checkpoints are written whole (:class:`topkd.hooks.ResumableCheckpointHook` in the place of MMEngine's), and the log
averages the shares of the losses over the same steps as the losses. So a training that is killed and resumed ends as
the one that was not.
"""

from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.registry import DATASETS, HOOKS, Registry

# MMEngine's own pattern, and the shares of the terms
AVERAGED = r'.*(loss|time|data_time|grad_norm|share_).*'
# in the order in which they are added
TRAINING_HOOKS = (
    'TrainingCheckHook',
    'StepSeedHook',
    'TrainingSetHook',
    'CohortHook',
    'MemberCurvesHook',
    'TrainingStateHook',
    'SameBuffersHook',
    'ResumedValidationHook',
    'MemoryFormatHook',
)


def prepare_training(cfg: Config) -> None:
    """Add what this module lists to a training's config, whatever it inherits from.

    A config that a training has dumped has the hooks already; they are not added twice.

    Args:
        cfg (Config): Of a training; changed in place.
    """
    custom, names = list(cfg.get('custom_hooks') or []), [f'topkd.{name}' for name in TRAINING_HOOKS]
    given = {_name(hook): hook for hook in custom}  # a config may give a hook arguments of its own
    kept = [hook for hook in custom if _name(hook) not in names]
    cfg.custom_hooks = [*kept, *(given.get(name, dict(type=name)) for name in names)]
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
