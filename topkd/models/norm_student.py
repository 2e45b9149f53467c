"""The part that makes a network a NORM student: its last map, expanded to several copies of the teacher's channels."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from topkd.models.losses.parts.feature_maps import he_normal
from topkd.registry import MODELS


@MODELS.register_module()
class NORMProjector(BaseModule):
    r"""Expand the last map, contract it again, add it to itself and pool it: the student's neck.

    .. math:: v = \mathrm{pool}(f + \mathrm{contract}(\mathrm{expand}(f)))

    Both are a 1x1 convolution with batch normalization and no activation, so that a trained student is a plain network:
    :meth:`folded` puts them into its classifier. The tap ``neck.expand`` is the expanded map.

    Args:
        in_channels (int): Channels of the student's last map, C_S.
        out_channels (int): Channels of the teacher's last map, C_T.
        copies (int): N; the expanded map has N C_T channels. Defaults to 8.
        residual (bool): Whether the map is added to its contraction. Defaults to True.
        init_cfg (dict | list[dict], optional): Defaults to None, the authors' initialization.

    Raises:
        ValueError: If ``copies`` is less than 1.

    Example:
        >>> NORMProjector(16, 64, copies=2)((torch.zeros(2, 16, 8, 8),))[0].shape
        torch.Size([2, 16])

    Source: Liu et al., Knowledge Distillation via N-to-One Representation Matching, ICLR 2023; layers of the authors'
    code.
    """

    def __init__(
        self, in_channels: int, out_channels: int, copies: int = 8, residual: bool = True, init_cfg: Any = None
    ) -> None:
        super().__init__(init_cfg)
        if copies < 1:
            raise ValueError(f'copies of NORMProjector must be 1 or more, got {copies}')
        self.residual = residual
        self.expand = _linear(in_channels, copies * out_channels)
        self.contract = _linear(copies * out_channels, in_channels)

    def forward(self, inputs: Tensor | Sequence[Tensor]) -> tuple[Tensor]:
        """Map the last of the maps (N, C_S, H, W) to a vector (N, C_S)."""
        last = inputs if isinstance(inputs, Tensor) else inputs[-1]
        contracted = self.contract(self.expand(last))
        return ((last + contracted if self.residual else contracted).flatten(2).mean(dim=2),)

    @torch.no_grad()
    def folded(self, classifier: nn.Linear) -> nn.Linear:
        """Return the classifier of the pooled map itself, which predicts what this neck and ``classifier`` predict.

        A trained student is thereby a network without a neck of its own: ``neck=dict(type='GlobalAveragePooling')``.

        Args:
            classifier (nn.Linear): The student's, of C_S channels.

        Returns:
            nn.Linear: Of the same shape.
        """
        width = classifier.in_features
        matrix, offset = torch.eye(width).to(classifier.weight), classifier.weight.new_zeros(width)
        layers: list[Any] = [self.expand, self.contract]
        for convolution, norm in layers:
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            matrix = scale[:, None] * (convolution.weight[:, :, 0, 0] @ matrix)
            offset = scale * (convolution.weight[:, :, 0, 0] @ offset - norm.running_mean) + norm.bias
        if self.residual:
            matrix = matrix + torch.eye(width).to(matrix)
        folded = nn.Linear(width, classifier.out_features).to(matrix)
        folded.weight.copy_(classifier.weight @ matrix)
        folded.bias.copy_(classifier.bias + classifier.weight @ offset)
        return folded


def _linear(in_channels: int, out_channels: int) -> nn.Sequential:
    return he_normal(nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)))
