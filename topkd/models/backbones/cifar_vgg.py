"""VGG with batch normalization and one linear classifier, for small images."""

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from topkd.models.backbones.staged_backbone import HE_INIT, InitCfg, StagedBackbone
from topkd.registry import MODELS

WIDTHS = (64, 128, 256, 512, 512)
# convolutions in the five blocks, by depth
CONVOLUTIONS = {8: (1, 1, 1, 1, 1), 11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


@MODELS.register_module()
class CIFARVGG(StagedBackbone):
    """VGG whose five blocks of 3x3 convolutions are ``stem`` and ``layer1`` to ``layer4``.

    Max pooling stands at the entry of a layer, so that a tap returns the activations before they are pooled. On images
    of 32 pixels the benchmark pools three times (strides 1, 2, 4, 8, 8 of the five blocks), on 64 pixels four times.

    Args:
        depth (int): 8, 11, 13, 16 or 19. Defaults to 8.
        num_pools (int): 3, or 4 for the benchmark's network on images of 64 pixels. Defaults to 3.
        in_channels (int): Channels of the images. Defaults to 3.
        out_indices (Sequence[int]): See :class:`StagedBackbone`. Defaults to (-1, ).
        init_cfg (dict | list[dict], optional): Defaults to the benchmark's He initialization.

    Raises:
        ValueError: If the depth or the number of poolings is not one of these.

    Source: Simonyan and Zisserman, Very Deep Convolutional Networks, Table 1; details from the CRD benchmark.
    """

    def __init__(
        self,
        depth: int = 8,
        num_pools: int = 3,
        in_channels: int = 3,
        out_indices: Sequence[int] = (-1,),
        init_cfg: InitCfg = HE_INIT,
    ) -> None:
        if depth not in CONVOLUTIONS:
            raise ValueError(f'depth of CIFARVGG must be one of {sorted(CONVOLUTIONS)}, got {depth}')
        if num_pools not in (3, 4):
            raise ValueError(f'num_pools of CIFARVGG must be 3 or 4, got {num_pools}')
        blocks, width = [], in_channels
        for index, (next_width, convolutions) in enumerate(zip(WIDTHS, CONVOLUTIONS[depth])):
            blocks.append(_block(width, next_width, convolutions, pooled=0 < index <= num_pools))
            width = next_width
        super().__init__(blocks[0], blocks[1:], width, None, out_indices, init_cfg)


def _block(in_channels: int, channels: int, convolutions: int, pooled: bool) -> nn.Sequential:
    """Build convolutions with batch normalization and ReLU, behind a max pooling where asked for."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(pool=nn.MaxPool2d(2)) if pooled else OrderedDict()
    for number in range(1, convolutions + 1):
        layers[f'conv{number}'] = nn.Conv2d(in_channels if number == 1 else channels, channels, 3, padding=1)
        layers[f'bn{number}'] = nn.BatchNorm2d(channels)
        layers[f'relu{number}'] = nn.ReLU()
    return nn.Sequential(layers)
