"""ShuffleNetV1 with a stem for small images."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from topkd.models.backbones.staged_backbone import InitCfg, StagedBackbone, channel_shuffle, conv_bn_relu
from topkd.registry import MODELS


class ShuffleUnit(nn.Module):
    """Mix channels by grouped 1x1 convolutions and a shuffle around a depthwise 3x3 convolution.

    At stride 1 the input is added; at stride 2 the pooled input is appended, so that the convolutions make only the
    channels that are missing.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the output.
        stride (int): 1 or 2.
        groups (int): Groups of the last convolution.
        first_groups (int): Groups of the first convolution and of the shuffle.
    """

    def __init__(self, in_channels: int, channels: int, stride: int, groups: int, first_groups: int) -> None:
        super().__init__()
        made = channels - in_channels if stride == 2 else channels
        inner = made // 4
        self.stride = stride
        self.first_groups = first_groups
        self.conv1 = nn.Conv2d(in_channels, inner, 1, groups=first_groups, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, groups=inner, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, made, 1, groups=groups, bias=False)
        self.bn3 = nn.BatchNorm2d(made)
        self.relu = nn.ReLU()  # a module, so that the tap 'relu(0)' shows what comes before it

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C_in, H, W) to (N, C, H / stride, W / stride)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = channel_shuffle(out, self.first_groups)
        # an activation here is not in the ShuffleNet paper, but in the benchmark's network
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.stride == 2:
            return self.relu(torch.cat([out, F.avg_pool2d(x, 3, stride=2, padding=1)], dim=1))
        return self.relu(out + x)


@MODELS.register_module()
class CIFARShuffleNetV1(StagedBackbone):
    """ShuffleNetV1 (g = 3) whose stem is one 1x1 convolution of stride 1.

    Strides of ``layer1`` to ``layer3``: 2, 2, 2. The first 1x1 convolution of ``layer1`` is not grouped.

    Args:
        groups (int): g. Defaults to 3.
        channels (Sequence[int]): Channels of the layers. Defaults to (240, 480, 960).
        num_blocks (Sequence[int]): Units of the layers. Defaults to (4, 8, 4).
        in_channels (int): Channels of the images. Defaults to 3.
        out_indices (Sequence[int]): See :class:`StagedBackbone`. Defaults to (-1, ).
        init_cfg (dict | list[dict], optional): Defaults to None: the benchmark leaves this family at PyTorch's own
            initialization.

    Source: Zhang et al., ShuffleNet, Table 1; stem from the CRD benchmark.
    """

    def __init__(
        self,
        groups: int = 3,
        channels: Sequence[int] = (240, 480, 960),
        num_blocks: Sequence[int] = (4, 8, 4),
        in_channels: int = 3,
        out_indices: Sequence[int] = (-1,),
        init_cfg: InitCfg = None,
    ) -> None:
        stem_channels = 24
        stages: list[nn.Module] = []
        before = stem_channels
        for width, blocks in zip(channels, num_blocks):
            first = ShuffleUnit(before, width, 2, groups, first_groups=groups if stages else 1)
            rest = (ShuffleUnit(width, width, 1, groups, groups) for _ in range(blocks - 1))
            stages.append(nn.Sequential(first, *rest))
            before = width
        super().__init__(conv_bn_relu(in_channels, stem_channels, 1), stages, before, None, out_indices, init_cfg)
