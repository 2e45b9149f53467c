"""ShuffleNetV2 with a stem for small images."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from topkd.models.backbones.staged_backbone import InitCfg, StagedBackbone, channel_shuffle, conv_bn_relu
from topkd.registry import MODELS


class SplitUnit(nn.Module):
    """Transform the second half of the channels, keep the first, and shuffle both.

    The input must not be negative, and no unit of this network returns a negative value: so the activation leaves the
    kept half alone, and the tap ``relu(0)`` shows both halves before it.

    Args:
        channels (int): Channels of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Conv2d(half, half, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(half)
        self.conv2 = nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = nn.Conv2d(half, half, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(half)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        kept, out = x.chunk(2, dim=1)
        out = F.relu(self.bn1(self.conv1(out)))
        out = self.bn2(self.conv2(out))
        out = self.bn3(self.conv3(out))
        return channel_shuffle(self.relu(torch.cat([kept, out], dim=1)), 2)


class DownUnit(nn.Module):
    """Halve the resolution in two branches of half the output channels each, and shuffle them.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the output.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Conv2d(in_channels, in_channels, 3, 2, padding=1, groups=in_channels, bias=False)
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv2 = nn.Conv2d(in_channels, half, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = nn.Conv2d(in_channels, half, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(half)
        self.conv4 = nn.Conv2d(half, half, 3, 2, padding=1, groups=half, bias=False)
        self.bn4 = nn.BatchNorm2d(half)
        self.conv5 = nn.Conv2d(half, half, 1, bias=False)
        self.bn5 = nn.BatchNorm2d(half)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C_in, H, W) to (N, C, H / 2, W / 2)."""
        left = self.bn1(self.conv1(x))
        left = F.relu(self.bn2(self.conv2(left)))
        right = F.relu(self.bn3(self.conv3(x)))
        right = self.bn4(self.conv4(right))
        right = F.relu(self.bn5(self.conv5(right)))
        return channel_shuffle(torch.cat([left, right], dim=1), 2)


@MODELS.register_module()
class CIFARShuffleNetV2(StagedBackbone):
    """ShuffleNetV2 (x1) whose stem is one 1x1 convolution of stride 1.

    Strides of ``layer1`` to ``layer3``: 2, 2, 2. ``final`` is a 1x1 convolution with batch normalization and ReLU; the
    average of its output is the classifier's input.

    Args:
        channels (Sequence[int]): Channels of the layers and of ``final``. Defaults to (116, 232, 464, 1024).
        num_blocks (Sequence[int]): Units of the layers, the one that halves the resolution included. Defaults to
            (4, 8, 4).
        in_channels (int): Channels of the images. Defaults to 3.
        out_indices (Sequence[int]): See :class:`StagedBackbone`. Defaults to (-1, ).
        init_cfg (dict | list[dict], optional): Defaults to None: the benchmark leaves this family at PyTorch's own
            initialization.

    Source: Ma et al., ShuffleNet V2, Table 5; stem from the CRD benchmark.
    """

    def __init__(
        self,
        channels: Sequence[int] = (116, 232, 464, 1024),
        num_blocks: Sequence[int] = (4, 8, 4),
        in_channels: int = 3,
        out_indices: Sequence[int] = (-1,),
        init_cfg: InitCfg = None,
    ) -> None:
        stem_channels = 24
        stages, before = [], stem_channels
        for width, blocks in zip(channels, num_blocks):
            stages.append(nn.Sequential(DownUnit(before, width), *(SplitUnit(width) for _ in range(blocks - 1))))
            before = width
        stem = conv_bn_relu(in_channels, stem_channels, 1)
        super().__init__(stem, stages, channels[-1], conv_bn_relu(before, channels[-1], 1), out_indices, init_cfg)
