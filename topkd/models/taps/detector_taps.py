"""What the parts of mmdet's detectors are called, which tap lies in which, and the taps of a detector.

All that asks whether a tap is one of the pyramid, of a dense head or of RoIs asks here:

- ``backbone`` and ``neck`` make the pyramid: :func:`is_of_features`, :func:`pyramid_taps`.
- A dense head says something of every cell of every level, ``bbox_head`` of a one-stage detector, ``rpn_head`` of a
  two-stage one: :func:`dense_head`, :func:`one_stage_forward`, :func:`is_output_of_head`.
- ``roi_head`` says something of every region (RoI) that it is given: :func:`is_of_rois`, :func:`box_head`, ``ROIS``.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from torch import Tensor, nn

from topkd.models.taps.tap_paths import first_name

FEATURES = ('backbone', 'neck')
ONE_STAGE_HEAD, RPN, ROI_HEAD = 'bbox_head', 'rpn_head', 'roi_head'
ROIS = f'{ROI_HEAD}.bbox_roi_extractor(1)'  # the regions (R, 5): number of the image, x1, y1, x2, y2 in pixels
ROI_LABELS = f'{ROI_HEAD}.bbox_head.loss_cls(1)'  # of the RoIs that the student sampled; only a training step has them


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


def is_of_features(tap: str) -> bool:
    """Tell whether a tap lies in what ``extract_feat`` runs, of a classifier too.

    Example:
        >>> is_of_features('neck[0]'), is_of_features('head.fc')
        (True, False)
    """
    return first_name(tap) in FEATURES


def is_output_of_head(tap: str) -> bool:
    """Tell whether a tap is one of the tensors that a one-stage detector's head returns.

    Example:
        >>> is_output_of_head('bbox_head[0][2]'), is_output_of_head('bbox_head.retina_cls')
        (True, False)
    """
    return tap.startswith(f'{ONE_STAGE_HEAD}[')


def is_of_rois(tap: str) -> bool:
    """Tell whether a tap is read RoI by RoI.

    Example:
        >>> is_of_rois('roi_head.bbox_head.fc_cls'), is_of_rois('rpn_head')
        (True, False)
    """
    return first_name(tap) == ROI_HEAD


def pyramid_taps(levels: Iterable[int]) -> tuple[str, ...]:
    """Return the taps of levels of the pyramid.

    Args:
        levels (Iterable[int]): Their numbers, 0 for the finest.

    Example:
        >>> pyramid_taps(range(2))
        ('neck[0]', 'neck[1]')
    """
    return tuple(f'neck[{level}]' for level in levels)


BOX_PYRAMID = pyramid_taps(range(4))  # what a box head of mmdet's configs reads


def dense_head(network: nn.Module) -> nn.Module | None:
    """Return the dense head of a detector, None for other networks."""
    head = getattr(network, ONE_STAGE_HEAD, None)
    return getattr(network, RPN, None) if head is None else head


def box_head(network: nn.Module) -> nn.Module | None:
    """Return the one head that classifies a detector's RoIs, None if it has none or several, as a cascade."""
    head = getattr(getattr(network, ROI_HEAD, None), 'bbox_head', None)
    return None if isinstance(head, nn.ModuleList) else head


def one_stage_forward(network: Any, images: Tensor) -> Callable[[], Any] | None:
    """Return a function that runs a one-stage detector so that the hooks of its head see it, None for others.

    Such a detector's own forward passes by the hooks of its head.

    Args:
        network (nn.Module): A classifier or detector in the MMEngine style.
        images (Tensor): (N, 3, H, W) as the network expects them.
    """
    head = getattr(network, ONE_STAGE_HEAD, None)
    if head is None:
        return None
    from mmdet.models.dense_heads.base_dense_head import BaseDenseHead  # imported already, as the network is mmdet's

    # the head of a detection transformer has this name too, and reads queries
    return (lambda: head(network.extract_feat(images))) if isinstance(head, BaseDenseHead) else None


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

    parts, dense = dict(network.named_children()), dense_head(network)
    priors = vars(dense).get('prior_generator') if dense is not None else None
    if 'neck' not in parts or priors is None:
        raise ValueError(
            'taps of a pyramid need a detector of mmdet with a neck and a dense head, such as RetinaNet, GFL, YOLOX or '
            f'FasterRCNN, got {type(network).__name__}: name the taps in the loss config'
        )
    levels = range(priors.num_levels)
    return DetectorTaps(
        pyramid_taps(levels),
        tuple(f'{ONE_STAGE_HEAD}[0][{level}]' for level in levels) if ONE_STAGE_HEAD in parts else None,
        tuple(f'{ONE_STAGE_HEAD}[2][{level}]' for level in levels) if isinstance(dense, YOLOXHead) else None,
    )
