"""ResNets of depth 6n + 2 for small images."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from topkd.models.backbones.staged_backbone import HE_INIT, InitCfg, StagedBackbone, conv_bn_relu
from topkd.registry import MODELS


class BasicBlock(nn.Module):
    """Add two 3x3 convolutions to their input: ``relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))``.

    Where the shape changes, the shortcut is a 1x1 convolution with batch normalization (option B).

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the output.
        stride (int): Stride of the first convolution and of the shortcut. Defaults to 1.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )
        self.relu = nn.ReLU()  # a module, so that the tap 'relu(0)' shows the sum before it

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C_in, H, W) to (N, C, H / stride, W / stride)."""
        identity = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        return self.relu(x + identity)


@MODELS.register_module()
class CIFARResNet(StagedBackbone):
    """ResNet with three groups of basic blocks, for images from 8 pixels on.

    The CRD benchmark's ResNet 8, 14, 20, 32, 44, 56 and 110 have channels 16-16-32-64; its 8x4 and 32x4 have
    32-64-128-256. Strides of ``layer1`` to ``layer3``: 1, 2, 2.

    Args:
        depth (int): 6n + 2, for n blocks in each group. Defaults to 20.
        channels (Sequence[int]): Channels of the stem and of the three groups. Defaults to (16, 16, 32, 64).
        in_channels (int): Channels of the images. Defaults to 3.
        out_indices (Sequence[int]): See :class:`StagedBackbone`. Defaults to (-1, ).
        init_cfg (dict | list[dict], optional): Defaults to the benchmark's He initialization.

    Raises:
        ValueError: If the depth is not 6n + 2 or there are not four widths.

    Source: He et al., Deep Residual Learning for Image Recognition, Section 4.2; widths from the CRD benchmark.
    """

    def __init__(
        self,
        depth: int = 20,
        channels: Sequence[int] = (16, 16, 32, 64),
        in_channels: int = 3,
        out_indices: Sequence[int] = (-1,),
        init_cfg: InitCfg = HE_INIT,
    ) -> None:
        if depth < 8 or (depth - 2) % 6:
            raise ValueError(f'depth of CIFARResNet must be 6n + 2 (8, 14, 20, 32, 56, 110, ...), got {depth}')
        if len(channels) != 4:
            raise ValueError(f'channels of CIFARResNet must be four widths (stem and three groups), got {channels}')
        stages = []
        for index, stride in enumerate((1, 2, 2)):
            width, blocks = channels[index + 1], (depth - 2) // 6
            first = BasicBlock(channels[index], width, stride)
            stages.append(nn.Sequential(first, *(BasicBlock(width, width) for _ in range(blocks - 1))))
        super().__init__(conv_bn_relu(in_channels, channels[0], 3), stages, channels[-1], None, out_indices, init_cfg)
