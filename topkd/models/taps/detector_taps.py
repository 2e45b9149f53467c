"""The taps of mmdet's detectors: the levels of the pyramid, and what a one-stage head says of every cell."""

from typing import NamedTuple

from torch import nn


class DetectorTaps(NamedTuple):
    """Taps of one detector, from the finest level to the coarsest.

    See :func:`topkd.models.taps.tap.tap` for their syntax.

    Attributes:
        pyramid (tuple[str, ...]): The levels (N, C, H, W) that the dense head reads: that of a one-stage detector, the
            RPN of a two-stage one.
        class_logits (tuple[str, ...] | None): Class logits (N, A K, H, W) of a one-stage head with A anchors a cell
            and K classes, a map a level. None for two-stage detectors.
        objectness (tuple[str, ...] | None): Logits (N, 1, H, W) of YOLOX that say whether there is an object at all;
            None for heads without.
    """

    pyramid: tuple[str, ...]
    class_logits: tuple[str, ...] | None
    objectness: tuple[str, ...] | None


def detector_taps(network: nn.Module) -> DetectorTaps:
    """Return the taps of a detector.

    Args:
        network (nn.Module): mmdet's, with a ``neck``.

    Returns:
        DetectorTaps: The detector's taps.

    Raises:
        ValueError: If the network has no neck, or no dense head that knows its levels.

    Example:
        >>> import topkd
        >>> from mmdet.registry import MODELS
        >>> from mmengine.hub import get_config
        >>> config = get_config('mmdet::yolox/yolox_tiny_8xb8-300e_coco.py').model
        >>> detector_taps(MODELS.build(dict(config, _scope_='mmdet'))).objectness
        ('bbox_head[2][0]', 'bbox_head[2][1]', 'bbox_head[2][2]')
    """
    from mmdet.models.dense_heads import YOLOXHead  # seconds to import, and of use to detectors only

    parts = dict(network.named_children())
    dense = parts.get('bbox_head', parts.get('rpn_head'))
    priors = vars(dense).get('prior_generator') if dense is not None else None
    if 'neck' not in parts or priors is None:
        raise ValueError(
            'taps of a pyramid need a detector of mmdet with a neck and a dense head, such as RetinaNet, GFL, YOLOX or '
            f'FasterRCNN, got {type(network).__name__}: name the taps in the loss config'
        )
    levels = range(priors.num_levels)
    return DetectorTaps(
        tuple(f'neck[{level}]' for level in levels),
        tuple(f'bbox_head[0][{level}]' for level in levels) if 'bbox_head' in parts else None,
        tuple(f'bbox_head[2][{level}]' for level in levels) if isinstance(dense, YOLOXHead) else None,
    )
