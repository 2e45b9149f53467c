"""MobileNetV2 with the strides for small images."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from topkd.models.backbones.staged_backbone import HE_INIT, InitCfg, StagedBackbone, conv_bn_relu
from topkd.registry import MODELS

# groups of blocks in each layer: (channels at width 1, blocks, stride of the first block)
GROUPS = (((16, 1, 1), (24, 2, 1)), ((32, 3, 2),), ((64, 4, 2), (96, 3, 1)), ((160, 3, 2), (320, 1, 1)))


class InvertedResidual(nn.Module):
    """Expand by a 1x1 convolution, filter each channel by a 3x3 one, and project back without activation.

    The input is added where the shape stays the same. The activation is ReLU, as in the benchmark, not ReLU6.

    Args:
        in_channels (int): Channels of the input.
        channels (int): Channels of the output.
        stride (int): Stride of the 3x3 convolution.
        expansion (int): Inner channels over input channels. At 1 the first convolution is still there.
    """

    def __init__(self, in_channels: int, channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = in_channels * expansion
        self.conv1 = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, groups=inner, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels)
        self.residual = stride == 1 and in_channels == channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C_in, H, W) to (N, C, H / stride, W / stride)."""
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return x + out if self.residual else out


@MODELS.register_module()
class CIFARMobileNetV2(StagedBackbone):
    """MobileNetV2 whose feature map is 2x2 for images of 32 pixels.

    Strides of ``stem`` and ``layer1`` to ``layer4``: 2, 1, 2, 2, 2. The layers end in a linear projection, so that
    they return values of both signs. ``final`` is the 1x1 convolution to 1280 channels with batch normalization and
    ReLU; the average of its output is the classifier's input.

    Args:
        width (float): Factor of all channels; the last convolution keeps at least 1280. Defaults to 0.5.
        expansion (int): Inner channels over input channels of all blocks but the first. Defaults to 6.
        in_channels (int): Channels of the images. Defaults to 3.
        out_indices (Sequence[int]): See :class:`StagedBackbone`. Defaults to (-1, ).
        init_cfg (dict | list[dict], optional): Defaults to the benchmark's He initialization.

    Source: Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, Table 2; strides from the CRD
    benchmark.
    """

    def __init__(
        self,
        width: float = 0.5,
        expansion: int = 6,
        in_channels: int = 3,
        out_indices: Sequence[int] = (-1,),
        init_cfg: InitCfg = HE_INIT,
    ) -> None:
        channels = int(32 * width)
        stem = conv_bn_relu(in_channels, channels, 3, stride=2)
        stages: list[nn.Module] = []
        for groups in GROUPS:
            layer: list[nn.Module] = []
            for base, blocks, stride in groups:
                # the very first block of the network does not expand
                ratio = expansion if stages or layer else 1
                layer.append(_group(channels, int(base * width), blocks, stride, ratio))
                channels = int(base * width)
            stages.append(nn.Sequential(*layer))
        out_channels = max(1280, int(1280 * width))
        final = conv_bn_relu(channels, out_channels, 1)
        super().__init__(stem, stages, out_channels, final, out_indices, init_cfg)


def _group(in_channels: int, channels: int, blocks: int, stride: int, expansion: int) -> nn.Sequential:
    """Build a row of blocks of one width, of which the first may stride."""
    first = InvertedResidual(in_channels, channels, stride, expansion)
    return nn.Sequential(first, *(InvertedResidual(channels, channels, 1, expansion) for _ in range(blocks - 1)))
