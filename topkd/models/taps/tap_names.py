"""Taps by name, such as ``@maps``: what they are in a network."""

import re
from functools import cached_property

from torch import Tensor, nn

from topkd.models.taps.detector_taps import DetectorTaps, detector_taps
from topkd.models.taps.found_taps import found_taps
from topkd.models.taps.stage_taps import STAGE_TAPS, StageTaps, backbone_name
from topkd.models.taps.tap import Taps


class TapNames:
    """Replace names such as ``@maps`` by what they are in a network.

    ``@stem``, ``@maps``, ``@pre_activation``, ``@last_map``, ``@pooled`` and ``@logits`` stand for the entries of
    :class:`StageTaps`, ``@maps[1]`` for one of several; ``@pyramid``, ``@class_logits`` and ``@objectness`` for those
    of :class:`topkd.models.taps.detector_taps.DetectorTaps`. So one config of a loss serves every pair of networks.
    Stages are those of the table for the networks in it, and found by one forward for all others.

    Args:
        network (nn.Module): A classifier or a detector in the MMEngine style.
        image (Tensor): (1, 3, H, W) as the network expects it.

    Example:
        >>> class Net(nn.Sequential):
        ...     def forward(self, image, data_samples=None, mode='tensor'):
        ...         return super().forward(image)
        >>> network = Net(
        ...     nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 16, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5)
        ... )
        >>> import torch
        >>> names = TapNames(network, torch.zeros(1, 3, 64, 64))
        >>> names.resolve(['@maps', '@pooled'])
        ['1', '4(0)']
    """

    def __init__(self, network: nn.Module, image: Tensor) -> None:
        self.network, self.image = network, image

    @cached_property
    def taps(self) -> StageTaps:
        """StageTaps: The network's taps."""
        known = STAGE_TAPS.get(backbone_name(self.network))
        return found_taps(self.network, self.image) if known is None else known

    def resolve(self, taps: Taps) -> Taps:
        """Replace the names among taps.

        Args:
            taps (str | Sequence[str]): One tap or several, named or written out.

        Returns:
            str | list[str]: One path where one tap was given that is one; a list otherwise.

        Raises:
            KeyError: If there is no such name.
            ValueError: If the network has no such taps.
        """
        if isinstance(taps, str):
            return self._resolve(taps)
        found = [self._resolve(tap) for tap in taps]
        return [path for tap in found for path in ([tap] if isinstance(tap, str) else tap)]

    def _resolve(self, tap: str) -> str | list[str]:
        if not tap.startswith('@'):
            return tap
        match = re.fullmatch(r'@(\w+)(?:\[(-?\d+)\])?', tap)
        known = (*StageTaps._fields, *DetectorTaps._fields)
        if match is None or match[1] not in known:
            raise KeyError(f"a tap with @ is one of {', '.join('@' + name for name in known)}, got '{tap}'")
        of_detector = match[1] in DetectorTaps._fields
        found = getattr(detector_taps(self.network) if of_detector else self.taps, match[1])
        if found is None:
            name = type(self.network).__name__ if of_detector else backbone_name(self.network)
            raise ValueError(
                f"a {name} has no taps '{tap}': name the taps in the loss config, or choose another method"
            )
        if match[2] is None:
            return found if isinstance(found, str) else list(found)
        number, count = int(match[2]), len(found)
        if isinstance(found, str) or not -count <= number < count:
            has = '1' if isinstance(found, str) else count
            raise ValueError(f"the tap '{tap}' names number {number} of {has}: correct the tap in the loss config")
        return found[number]
