"""The bottleneck ResNet-50 with a stem for small images."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from topkd.models.backbones.staged_backbone import HE_INIT, InitCfg, StagedBackbone, conv_bn_relu
from topkd.registry import MODELS


class Bottleneck(nn.Module):
    """Add a 1x1, a 3x3 and a 1x1 convolution to their input; the output has four times the inner channels.

    Where the shape changes, the shortcut is a 1x1 convolution with batch normalization; the stride stands in the 3x3
    convolution.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Inner channels C; the output has 4C.
        stride (int): Defaults to 1.
    """

    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        out_channels = 4 * channels
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample: nn.Module | None = None
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
            )
        self.relu = nn.ReLU()  # a module, so that the tap 'relu(0)' shows the sum before it

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C_in, H, W) to (N, 4C, H / stride, W / stride)."""
        identity = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        return self.relu(x + identity)


@MODELS.register_module()
class CIFARResNet50(StagedBackbone):
    """ResNet-50 whose stem is one 3x3 convolution of stride 1 without pooling.

    Inner channels 64-128-256-512, so that ``layer1`` to ``layer4`` return 256, 512, 1024 and 2048 channels at strides
    1, 2, 2, 2.

    Args:
        num_blocks (Sequence[int]): Blocks of the groups. Defaults to (3, 4, 6, 3).
        base_channels (int): Channels of the stem and inner channels of the first group. Defaults to 64.
        in_channels (int): Channels of the images. Defaults to 3.
        out_indices (Sequence[int]): See :class:`StagedBackbone`. Defaults to (-1, ).
        init_cfg (dict | list[dict], optional): Defaults to the benchmark's He initialization.

    Source: He et al., Deep Residual Learning for Image Recognition, Table 1; stem from the CRD benchmark.
    """

    def __init__(
        self,
        num_blocks: Sequence[int] = (3, 4, 6, 3),
        base_channels: int = 64,
        in_channels: int = 3,
        out_indices: Sequence[int] = (-1,),
        init_cfg: InitCfg = HE_INIT,
    ) -> None:
        stages, width = [], base_channels
        for index, blocks in enumerate(num_blocks):
            inner = base_channels * 2**index
            first = Bottleneck(width, inner, stride=1 if index == 0 else 2)
            width = 4 * inner
            stages.append(nn.Sequential(first, *(Bottleneck(width, inner) for _ in range(blocks - 1))))
        super().__init__(conv_bn_relu(in_channels, base_channels, 3), stages, width, None, out_indices, init_cfg)
