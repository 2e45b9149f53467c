"""A network as a function of images alone, as a file holds it: tensors in, tensors out."""

from typing import Any

from mmdet.models.detectors import BaseDetector, SingleStageDetector, TwoStageDetector
from torch import Tensor, nn

from topkd.models.data_preprocessors import ImageBatchPreprocessor
from topkd.models.teacher import renormalize


class PlainForward(nn.Module):
    """What a network computes of a batch of images, as a flat tuple of tensors with names.

    A classifier gives its ``logits``. A one-stage detector gives what its head makes of each level of the pyramid,
    ``head_0_level_0`` and so on, in the order in which the head returns them (scores, boxes, and what else it has). A
    two-stage detector gives the levels of its pyramid, ``pyramid_level_0`` and so on, and the RPN's scores and boxes of
    each level, ``rpn_0_level_0`` and ``rpn_1_level_0``: its second stage depends on the regions that it finds.

    Args:
        model (nn.Module): A classifier of mmpretrain, or a one-stage or two-stage detector of mmdet.
        pixels (bool): Whether ``images`` are pixels 0..255 in RGB that are normalized here as the model's data
            preprocessor does, or normalized images. Defaults to False.

    Raises:
        ValueError: If it is a detector of another kind.

    Example:
        >>> import torch
        >>> from mmengine.registry import MODELS
        >>> network = dict(
        ...     type='mmpretrain.ImageClassifier',
        ...     backbone=dict(type='topkd.CIFARResNet', depth=20),
        ...     neck=dict(type='mmpretrain.GlobalAveragePooling'),
        ...     head=dict(type='mmpretrain.LinearClsHead', num_classes=10, in_channels=64),
        ... )
        >>> plain = PlainForward(MODELS.build(network))
        >>> [tensor.shape for tensor in plain(torch.zeros(2, 3, 32, 32))], plain.names
        ([torch.Size([2, 10])], ['logits'])
    """

    def __init__(self, model: nn.Module, pixels: bool = False):
        super().__init__()
        if isinstance(model, BaseDetector) and not isinstance(model, (SingleStageDetector, TwoStageDetector)):
            raise ValueError(
                f'{type(model).__name__} is neither a one-stage nor a two-stage detector, so that its outputs are no '
                'function of images alone: export a detector of one of these kinds'
            )
        self.model = model.eval()
        self.names: list[str] = []
        self._as_pixels = ImageBatchPreprocessor(mean=[0] * 3, std=[1] * 3) if pixels else None

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the outputs, whose names are in ``names`` afterwards.

        Args:
            images (Tensor): (N, 3, H, W) float.

        Returns:
            tuple[Tensor]: One tensor or several.
        """
        if self._as_pixels is not None:
            preprocessor: Any = self.model.data_preprocessor
            images = renormalize(images, self._as_pixels, preprocessor)
        named = dict(self._outputs(images))
        self.names = list(named)
        return tuple(named.values())

    def _outputs(self, images: Tensor) -> list[tuple[str, Tensor]]:
        model: Any = self.model
        if isinstance(model, TwoStageDetector):
            pyramid = model.extract_feat(images)
            levels = [(f'pyramid_level_{level}', tensor) for level, tensor in enumerate(pyramid)]
            return levels + _by_level('rpn', model.rpn_head(pyramid))
        if isinstance(model, SingleStageDetector):
            return _by_level('head', model(images, mode='tensor'))
        return [('logits', model(images, mode='tensor'))]


def _by_level(name: str, outputs: Any) -> list[tuple[str, Tensor]]:
    """Name what a dense head returns: a tuple of lists with a tensor a level."""
    return [
        (f'{name}_{place}_level_{level}', tensor)
        for place, levels in enumerate(outputs)
        for level, tensor in enumerate(levels)
    ]
