"""The gradient of RoIAlign as matrix products: the same numbers on every run, on any device."""

import torch
from torch import Tensor

# Regions handled at once: 300 MiB of float32 for 256 channels, 7 bins and features 336 pixels wide.
CHUNK_REGIONS = 128


def roi_align_adjoint(
    grad_output: Tensor,
    rois: Tensor,
    input_shape: tuple[int, ...],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Compute the gradient of average RoIAlign with respect to its features.

    Bilinear weights and the sampling grid are products of a vertical and a horizontal factor, so a region k of image b
    is pooled as Y_k F_b X_k^T and its share of the gradient is Y_k^T G_k X_k.

    Args:
        grad_output (Tensor): (k, C, bins_h, bins_w) gradient of the loss.
        rois (Tensor): (k, 5) rows of image index, x1, y1, x2, y2 in pixels of the image.
        input_shape (tuple[int, ...]): N, C, H, W of the features.
        spatial_scale (float): Pixels of the features per pixel of the image.
        sampling_ratio (int): Samples of a bin along each axis; 0 takes one per pixel of the features.
        aligned (bool): Whether pixel centers lie at half-integer coordinates.

    Returns:
        Tensor: (N, C, H, W) gradient in the dtype of `grad_output`.
    """
    num_images, channels, height, width = input_shape
    bins_h, bins_w = grad_output.shape[-2:]
    corners = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    sizes = corners[:, 2:] - corners[:, :2]
    if not aligned:
        sizes = sizes.clamp(min=1)
    grad_input = grad_output.new_zeros(tuple(input_shape))
    for image in range(num_images):
        for of_image in (rois[:, 0].long() == image).nonzero().squeeze(1).split(CHUNK_REGIONS):
            rows = axis_weights(corners[of_image, 1], sizes[of_image, 1], bins_h, height, sampling_ratio)
            columns = axis_weights(corners[of_image, 0], sizes[of_image, 0], bins_w, width, sampling_ratio)
            spread = grad_output[of_image] @ columns[:, None]  # (k, C, bins_h, W)
            spread = spread.transpose(1, 2).reshape(-1, channels * width)
            share = rows.reshape(-1, height).T @ spread  # sums over regions and their rows of bins
            grad_input[image] += share.view(height, channels, width).transpose(0, 1)
    return grad_input


def axis_weights(start: Tensor, size: Tensor, bins: int, length: int, sampling_ratio: int) -> Tensor:
    """Compute the weight of every pixel of one axis in every bin of the regions.

    w[k, p, h] = mean over the bin's samples s of max(0, 1 - |s - h|); samples beyond one pixel outside weigh nothing
    and the rest is clamped to the pixel centers.

    Args:
        start (Tensor): (k,) lower edge of the regions in pixels of the features.
        size (Tensor): (k,) their extent in pixels of the features.
        bins (int): Bins P of the axis.
        length (int): Pixels H of the axis.
        sampling_ratio (int): Samples of a bin, 0 for one per pixel.

    Returns:
        Tensor: (k, P, H) weights.
    """
    counts = torch.full_like(size, sampling_ratio) if sampling_ratio > 0 else (size / bins).ceil().clamp(min=0)
    most = int(counts.max()) if len(counts) else 0
    sample = torch.arange(most, device=size.device, dtype=size.dtype)
    bin_index = torch.arange(bins, device=size.device, dtype=size.dtype)
    # A region without samples has count 0: the clamp keeps its (unused) positions finite.
    divisor = counts.clamp(min=1)[:, None, None]
    bin_size = (size / bins)[:, None, None]
    position = start[:, None, None] + bin_index[:, None] * bin_size + (sample + 0.5) * bin_size / divisor
    inside = (sample < counts[:, None, None]) & (position >= -1) & (position <= length)
    position = position.clamp(0, length - 1)
    pixel = torch.arange(length, device=size.device, dtype=size.dtype)
    hat = (1 - (position[..., None] - pixel).abs()).clamp(min=0)
    return (hat * inside[..., None]).sum(dim=2) / divisor
