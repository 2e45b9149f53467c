"""Wide residual networks of depth 6n + 4 for small images."""

from collections import OrderedDict
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from topkd.models.backbones.staged_backbone import HE_INIT, InitCfg, StagedBackbone
from topkd.registry import MODELS


class PreActivationBlock(nn.Module):
    """Normalize and activate before each of two 3x3 convolutions, and add the input.

    Where the width changes, the shortcut is a bare 1x1 convolution of the activated input.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the output.
        stride (int): Defaults to 1.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.shortcut: nn.Module | None = None
        if stride != 1 or in_channels != channels:
            self.shortcut = nn.Conv2d(in_channels, channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C_in, H, W) to (N, C, H / stride, W / stride)."""
        activated = F.relu(self.bn1(x))
        identity = x if self.shortcut is None else self.shortcut(activated)
        inner = F.relu(self.bn2(self.conv1(activated)))
        return identity + self.conv2(inner)


@MODELS.register_module()
class CIFARWideResNet(StagedBackbone):
    """Wide ResNet (WRN-depth-width) without dropout.

    Pre-activation: ``stem`` is a bare convolution and the groups end in a sum, so that ``stem`` and ``layer1`` to
    ``layer3`` return values of both signs, as in the benchmark. ``final`` normalizes and activates the last group's
    output, and its average is the classifier's input.

    Args:
        depth (int): 6n + 4, for n blocks in each group. Defaults to 40.
        widen_factor (int): k; the groups have 16k, 32k and 64k channels. Defaults to 2.
        in_channels (int): Channels of the images. Defaults to 3.
        out_indices (Sequence[int]): See :class:`StagedBackbone`. Defaults to (-1, ).
        init_cfg (dict | list[dict], optional): Defaults to the benchmark's He initialization.

    Raises:
        ValueError: If the depth is not 6n + 4.

    Source: Zagoruyko and Komodakis, Wide Residual Networks, Table 1; details from the CRD benchmark.
    """

    def __init__(
        self,
        depth: int = 40,
        widen_factor: int = 2,
        in_channels: int = 3,
        out_indices: Sequence[int] = (-1,),
        init_cfg: InitCfg = HE_INIT,
    ) -> None:
        if depth < 10 or (depth - 4) % 6:
            raise ValueError(f'depth of CIFARWideResNet must be 6n + 4 (10, 16, 22, 28, 40, ...), got {depth}')
        widths = (16, 16 * widen_factor, 32 * widen_factor, 64 * widen_factor)
        stages = []
        for index, stride in enumerate((1, 2, 2)):
            width, blocks = widths[index + 1], (depth - 4) // 6
            first = PreActivationBlock(widths[index], width, stride)
            stages.append(nn.Sequential(first, *(PreActivationBlock(width, width) for _ in range(blocks - 1))))
        stem = nn.Conv2d(in_channels, widths[0], 3, padding=1, bias=False)
        final = nn.Sequential(OrderedDict(bn=nn.BatchNorm2d(widths[-1]), relu=nn.ReLU()))
        super().__init__(stem, stages, widths[-1], final, out_indices, init_cfg)
