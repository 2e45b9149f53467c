"""The two parts that make a network a SimKD student: a projector before pooling, and the teacher's classifier."""

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from mmpretrain.models.heads import LinearClsHead
from torch import Tensor, nn

from topkd.registry import MODELS
from topkd.utils.checkpoint import load_state


@MODELS.register_module()
class SimKDProjector(BaseModule):
    """Bring the last map to the width of the teacher's, and pool it: the student's neck.

    1x1, 3x3 and 1x1 convolutions, each with batch normalization and ReLU. The tap ``neck.projection`` is the map before
    pooling, ``neck[0]`` the vector after it.

    Args:
        in_channels (int): Channels of the student's last map.
        out_channels (int): Channels of the teacher's last map.
        factor (int): The 3x3 convolution has ``out_channels // factor`` channels. Defaults to 2.
        init_cfg (dict | list[dict], optional): Defaults to None, PyTorch's own initialization, as in the authors' code.

    Raises:
        ValueError: If ``factor`` leaves no channel.

    Example:
        >>> import torch
        >>> SimKDProjector(16, 64)((torch.zeros(2, 16, 8, 8),))[0].shape
        torch.Size([2, 64])

    Source: Chen et al., Knowledge Distillation with the Reused Teacher Classifier; layers of the authors' code.
    """

    def __init__(self, in_channels: int, out_channels: int, factor: int = 2, init_cfg: Any = None) -> None:
        super().__init__(init_cfg)
        if not 1 <= factor <= out_channels:
            raise ValueError(f'factor of SimKDProjector must be 1 to {out_channels}, got {factor}')
        inner = out_channels // factor
        self.projection = nn.Sequential(
            *_convolution(in_channels, inner, 1), *_convolution(inner, inner, 3), *_convolution(inner, out_channels, 1)
        )

    def forward(self, inputs: Tensor | Sequence[Tensor]) -> tuple[Tensor]:
        """Map the last of the maps (N, C_in, H, W) to a vector (N, C_out)."""
        last = inputs if isinstance(inputs, Tensor) else inputs[-1]
        return (self.projection(last).flatten(2).mean(dim=2),)


def _convolution(in_channels: int, out_channels: int, size: int) -> list[nn.Module]:
    convolution = nn.Conv2d(in_channels, out_channels, size, padding=size // 2, bias=False)
    return [convolution, nn.BatchNorm2d(out_channels), nn.ReLU()]


@MODELS.register_module()
class TeacherClassifierHead(LinearClsHead):
    """Classify by the teacher's classifier, which is never trained: the student's head.

    A checkpoint of the student holds the classifier, so that a trained student needs the teacher's file no more: set
    ``checkpoint=None`` in its config then.

    Args:
        num_classes (int): Classes.
        in_channels (int): Channels of the teacher's last map.
        checkpoint (str, optional): The teacher's checkpoint, whose ``head.fc`` is taken. None: a random classifier,
            until weights are loaded. Defaults to None.
        **kwargs (Any): As for mmpretrain's LinearClsHead. SimKD trains without cross entropy:
            ``loss=dict(type='CrossEntropyLoss', loss_weight=0.0)``.

    Raises:
        ValueError: If the checkpoint holds no classifier of this shape.

    Source: Chen et al., Knowledge Distillation with the Reused Teacher Classifier.
    """

    def __init__(self, num_classes: int, in_channels: int, checkpoint: str | None = None, **kwargs: Any) -> None:
        super().__init__(num_classes, in_channels, **dict(dict(init_cfg=None), **kwargs))
        if checkpoint is not None:
            weights = load_state(checkpoint)
            found = {name: weights.get(f'head.fc.{name}') for name in ('weight', 'bias')}
            shapes = {name: None if value is None else tuple(value.shape) for name, value in found.items()}
            if shapes != dict(weight=(num_classes, in_channels), bias=(num_classes,)):
                raise ValueError(
                    f'{checkpoint} must hold a classifier of {in_channels} channels and {num_classes} classes in '
                    f'head.fc, got {shapes}: give the checkpoint and the sizes of the teacher'
                )
            self.fc.load_state_dict(found)
        self.fc.requires_grad_(False)

    def init_weights(self) -> None:
        """Keep the classifier, whatever the student's other weights are set to."""
