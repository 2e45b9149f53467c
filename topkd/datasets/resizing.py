"""Resizing images once, when they are read into memory."""

from torch import Tensor
from torch.nn import functional as F


def check_size(size: int | None) -> None:
    """Refuse what is no number of pixels.

    Raises:
        ValueError: If ``size`` is neither None nor a positive whole number.
    """
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise ValueError(f'expected size to be a positive number of pixels or None, got {size!r}')


def resize(images: Tensor, size: int | None) -> Tensor:
    """Resize images to squares, bilinearly and with the blur that keeps a smaller image from aliasing, as Pillow does.

    Args:
        images (Tensor): uint8 pixels (N, C, H, W).
        size (int, optional): New height and width. None leaves the images alone.

    Returns:
        Tensor: uint8 pixels (N, C, size, size).
    """
    if size is None or tuple(images.shape[-2:]) == (size, size):
        return images
    resized = F.interpolate(images.float(), (size, size), mode='bilinear', align_corners=False, antialias=True)
    return resized.round().clamp(0, 255).to(images.dtype)
