"""The image on which networks are tried: of the size that they expect."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

ATTRIBUTES = ('img_size', 'image_size')  # of mmpretrain and timm, of torchvision and HuggingFace
DEFAULT = (64, 64)


def declared_size(network: nn.Module) -> tuple[int, int] | None:
    """Return the height and width that a network says it was made for, None if it says nothing.

    Transformers do: their position embeddings belong to one size.

    Args:
        network (nn.Module): Any network.

    Example:
        >>> network = nn.Identity()
        >>> network.img_size = 224
        >>> declared_size(nn.Sequential(network)), declared_size(nn.Identity())
        ((224, 224), None)
    """
    for module in network.modules():
        for name in ATTRIBUTES:
            value = vars(module).get(name)
            pair = (value, value) if isinstance(value, int) else value
            if isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(side, int) for side in pair):
                return pair[0], pair[1]
    return None


def blank_image(shape: Sequence[int] | None, *networks: nn.Module) -> Tensor:
    """Return an image of zeros.

    Args:
        shape (Sequence[int], optional): Channels, height and width. None: three channels and the size that the first
            network declares which declares one; 64 x 64 if none does.
        *networks (nn.Module): That will be shown the image.

    Returns:
        Tensor: (1, C, H, W).

    Example:
        >>> blank_image(None, nn.Identity()).shape, blank_image((3, 32, 32)).shape
        (torch.Size([1, 3, 64, 64]), torch.Size([1, 3, 32, 32]))
    """
    if shape is None:
        shape = (3, *next(filter(None, map(declared_size, networks)), DEFAULT))
    return torch.zeros(1, *shape)
