"""What all CIFAR networks share: a stem, numbered stages, and outputs that a tap can rely on."""

from collections import OrderedDict
from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

# The CRD benchmark draws convolutions from N(0, 2 / (k * k * C_out)), which is He's rule with fan_out. PyTorch's
# fan_out of a depthwise convolution is k * k * C_out as well, so that one rule covers all families.
HE_INIT: list[dict] = [
    dict(type='Kaiming', layer='Conv2d', mode='fan_out', nonlinearity='relu', distribution='normal'),
    dict(type='Constant', layer='_BatchNorm', val=1, bias=0),
]
InitCfg = dict | Sequence[dict] | None


def channel_shuffle(maps: Tensor, groups: int) -> Tensor:
    """Interleave groups of channels, as torch's own operation does, which has no derivative before torch 2.5.

    Args:
        maps (Tensor): (N, C, H, W).
        groups (int): A divisor of C.

    Example:
        >>> import torch
        >>> channel_shuffle(torch.arange(6).view(1, 6, 1, 1), 2).flatten()
        tensor([0, 3, 1, 4, 2, 5])
    """
    return maps.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


class StagedBackbone(BaseModule):
    """Run ``stem``, ``layer1`` to ``layerN`` and ``final``; return the outputs of chosen stages.

    Taps: ``stem`` and ``layer1`` to ``layerN`` return the feature maps that the CRD benchmark calls f0 to fN. No
    operation in these networks works in place, so that what a tap collects stays what the module returned. The global
    average of the last output is the classifier's input.

    Args:
        stem (nn.Module): From the image to the first feature map.
        stages (Sequence[nn.Module]): They become ``layer1``, ``layer2``, and so on.
        out_channels (int): Channels C of the last output, the classifier's input width.
        final (nn.Module, optional): What the family applies to the last stage before pooling. Defaults to nothing.
        out_indices (Sequence[int]): Stages to return, 0 for ``layer1``, negative ones counted from the end; the last
            stage is returned after ``final``. Defaults to (-1, ), the last one.
        init_cfg (dict | list[dict], optional): Initialization in MMEngine's terms. Defaults to None.

    Raises:
        ValueError: If ``out_indices`` names a stage that does not exist.
    """

    def __init__(
        self,
        stem: nn.Module,
        stages: Sequence[nn.Module],
        out_channels: int,
        final: nn.Module | None = None,
        out_indices: Sequence[int] = (-1,),
        init_cfg: InitCfg = None,
    ) -> None:
        super().__init__(init_cfg)
        wrong = [index for index in out_indices if not -len(stages) <= index < len(stages)]
        if wrong or not out_indices:
            raise ValueError(
                f'out_indices of {type(self).__name__} must name stages 0 to {len(stages) - 1}, '
                f'got {tuple(out_indices)}'
            )
        self.out_indices = tuple(sorted({index % len(stages) for index in out_indices}))
        self.out_channels = out_channels
        self.stem = stem
        self.stage_names = tuple(f'layer{number}' for number in range(1, len(stages) + 1))
        for name, stage in zip(self.stage_names, stages):
            self.add_module(name, stage)
        self.final = nn.Identity() if final is None else final

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps of the chosen stages.

        Args:
            x (Tensor): Images (N, 3, H, W).

        Returns:
            tuple[Tensor]: One feature map (N, C_i, H_i, W_i) for each of ``out_indices``, shallow to deep.
        """
        x = self.stem(x)
        outputs = []
        for index, name in enumerate(self.stage_names):
            x = getattr(self, name)(x)
            if name == self.stage_names[-1]:
                x = self.final(x)
            if index in self.out_indices:
                outputs.append(x)
        return tuple(outputs)

    def train(self, mode: bool = True) -> 'StagedBackbone':
        """Switch to training or evaluation mode and return the network, as PyTorch's modules do."""
        super().train(mode)  # mmpretrain's returns None
        return self


def conv_bn_relu(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    """Build a convolution that keeps the size at stride 1, batch normalization and ReLU, with these three names."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False),
            bn=nn.BatchNorm2d(out_channels),
            relu=nn.ReLU(),
        )
    )
