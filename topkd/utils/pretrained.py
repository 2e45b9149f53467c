"""Weights that a part of a network starts from by ``init_cfg``: those of that very network, or none.

MMEngine's own initializer loads what fits and goes on without the rest, so that another network's file trains from
scratch unseen.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.model.weight_init import PretrainedInit, update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner.checkpoint import _load_checkpoint, load_state_dict
from torch import Tensor, nn

from topkd.utils.checkpoint import misfits, not_finite

ENOUGH = 0.9  # of the parameters: a head of another width or a resized position embedding is not another network
# what belongs to a module besides parameters
BUFFERS = ('running_mean', 'running_var', 'num_batches_tracked', 'relative_position_index')


class CheckedPretrainedInit(PretrainedInit):
    """MMEngine's ``init_cfg=dict(type='Pretrained', ...)``, which refuses the checkpoint of another network.

    MMEngine loads what fits, if only a little or nothing, and goes on. Here most parameters must be found with their
    shapes, and the parts that both have must not hold others; what little differs is logged as a warning, as MMEngine
    does.

    Args:
        checkpoint (str): A path or an address.
        prefix (str, optional): Of the part's names in the checkpoint, such as ``'backbone.'``.
        map_location (str): As in ``torch.load``. Defaults to 'cpu'.
    """

    def __call__(self, module: nn.Module) -> None:
        """Load the weights into a module.

        Raises:
            ValueError: If they are those of another network, or not finite.
        """
        content = _load_checkpoint(self.checkpoint, map_location=self.map_location)
        weights = content.get('state_dict', content)
        named = part_of(weights, self.prefix or '')
        expected = dict(module.named_parameters())
        if share_that_fits(expected, named) < ENOUGH:
            raise ValueError(self._complaint(module, expected, weights, named))
        broken = not_finite(named)
        if broken:
            raise ValueError(
                f"init_cfg: checkpoint '{self.checkpoint}' holds weights that must be finite, got nan or inf in "
                f'{broken[0]}: name a checkpoint of a training that did not diverge'
            )
        load_state_dict(module, named, strict=False, logger='current')
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=self._get_init_info())

    def _complaint(
        self, module: nn.Module, expected: Mapping[str, Tensor], weights: Mapping[str, Any], named: Mapping[str, Any]
    ) -> str:
        kind, whose = type(module).__name__, f"'{self.prefix}' in " if self.prefix else ''
        fitting = next(
            (name for name in _prefixes(weights) if share_that_fits(expected, part_of(weights, name)) == 1.0), ''
        )
        instead = f"set prefix='{fitting}' in that init_cfg" if fitting else 'name a checkpoint of this very network'
        found = misfits(expected, {key: value for key, value in named.items() if not key.endswith(BUFFERS)})
        return f"init_cfg: {whose}checkpoint '{self.checkpoint}' does not fit {kind} ({found}): {instead}"


def use_checked_initialization() -> None:
    """Let every ``init_cfg`` of type 'Pretrained' load by :class:`CheckedPretrainedInit` from now on."""
    WEIGHT_INITIALIZERS.register_module(name='Pretrained', module=CheckedPretrainedInit, force=True)


def part_of(weights: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the weights whose names begin with a prefix, without it and without that of wrappers.

    Example:
        >>> part_of({'backbone.conv.weight': 1, 'head.weight': 2}, 'backbone')
        {'conv.weight': 1}
    """
    start = f'{prefix.rstrip(".")}.' if prefix else ''
    named = {key.removeprefix('module.'): value for key, value in weights.items()}
    return {key[len(start) :]: value for key, value in named.items() if key.startswith(start)}


def share_that_fits(expected: Mapping[str, Tensor], weights: Mapping[str, Any]) -> float:
    """Return the share of parameters found with their shapes among those that the network or the file has.

    A file's parameters count where the network has a part of that name: the classifier of a whole network plays no
    part for its backbone.

    Args:
        expected (Mapping): Parameters of the network by name.
        weights (Mapping): Of the file.

    Example:
        >>> import torch
        >>> weights = {'layer.0.weight': torch.zeros(2), 'layer.1.weight': torch.zeros(2), 'fc.weight': torch.zeros(3)}
        >>> share_that_fits({'layer.0.weight': torch.ones(2)}, weights)
        0.5
    """
    parts = {key.split('.')[0] for key in expected}
    fitting = [key for key, value in expected.items() if getattr(weights.get(key), 'shape', None) == value.shape]
    others = [
        key for key in weights if key.split('.')[0] in parts and not key.endswith(BUFFERS) and key not in expected
    ]
    return len(fitting) / max(len(expected) + len(others), 1)


def _prefixes(weights: Iterable[str]) -> list[str]:
    """List the names of the parts, and of their parts, that a checkpoint has."""
    parts = [key.split('.') for key in weights]
    return list(dict.fromkeys('.'.join(part[:depth]) + '.' for depth in (1, 2) for part in parts if len(part) > depth))
