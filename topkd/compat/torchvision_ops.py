"""NMS and RoIAlign with the signatures of mmcv's compiled ops, computed by torchvision's kernels.

Half precision (float16, bfloat16) is computed in float32 and rounded once at the end: torchvision lacks such kernels
on the CPU, and sums over a bin lose digits in half precision everywhere.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from topkd.compat.missing_op import MissingOp
from topkd.compat.roi_align_adjoint import roi_align_adjoint

AVERAGE = 1  # mmcv's number for pool_mode='avg'; 0 is 'max'


@cache
def _kernels() -> Any:
    # Importing torchvision takes seconds and registers its kernels with torch: only when the first box arrives.
    import torchvision  # noqa: F401

    return torch.ops.torchvision


def _compute_dtype(*tensors: Tensor) -> torch.dtype:
    return torch.float64 if any(tensor.dtype == torch.float64 for tensor in tensors) else torch.float32


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Suppress the boxes that overlap a better one: IoU > iou_threshold.

    A box covers (x2 - x1 + offset) * (y2 - y1 + offset) pixels, so offset 1 is offset 0 on boxes whose right and lower
    edge lie one pixel further out.

    Args:
        boxes (Tensor): (n, 4) corners x1, y1, x2, y2 in pixels.
        scores (Tensor): (n,) of any floating dtype; equal scores keep the order of the input.
        iou_threshold (float): Overlap in [0, 1] above which the box of lower score is dropped.
        offset (int): 0 (continuous coordinates) or 1 (inclusive pixel indices).

    Returns:
        Tensor: (k,) int64 indices of the boxes kept, by descending score.
    """
    dtype = _compute_dtype(boxes, scores)
    boxes, scores = boxes.to(dtype), scores.to(dtype)
    if offset:
        boxes = torch.cat((boxes[:, :2], boxes[:, 2:] + offset), dim=1)
    return _kernels().nms(boxes, scores, iou_threshold)


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Write into `output` the mean of bilinear samples in each of the bins of every region.

    Args:
        input (Tensor): (N, C, H, W) features.
        rois (Tensor): (k, 5) rows of image index, x1, y1, x2, y2 in pixels of the image.
        output (Tensor): (k, C, aligned_height, aligned_width), overwritten.
        argmax_y (Tensor): Unused, positions of the maxima in mmcv's 'max' mode.
        argmax_x (Tensor): Unused.
        aligned_height (int): Bins of a region, vertically.
        aligned_width (int): Bins of a region, horizontally.
        spatial_scale (float): Pixels of the features per pixel of the image.
        sampling_ratio (int): Samples of a bin along each axis; 0 takes one per pixel of the features.
        pool_mode (int): 1, the average.
        aligned (bool): Whether pixel centers lie at half-integer coordinates (the legacy False has them at integers).

    Raises:
        NotImplementedError: If ``pool_mode`` is 0, the maximum, which torchvision lacks.
    """
    if pool_mode != AVERAGE:
        MissingOp("roi_align with pool_mode='max'")()
    dtype = _compute_dtype(input)
    output.copy_(
        _kernels().roi_align(
            input.to(dtype), rois.to(dtype), spatial_scale, aligned_height, aligned_width, sampling_ratio, aligned
        )
    )


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Add to `grad_input` the gradient of :func:`roi_align_forward` with respect to the features.

    torchvision's CUDA kernel adds in an arbitrary order and refuses to run under
    ``torch.use_deterministic_algorithms(True)``; matrix products take its place there.

    Args:
        grad_output (Tensor): (k, C, aligned_height, aligned_width) gradient of the loss.
        rois (Tensor): (k, 5) as in the forward.
        argmax_y (Tensor): Unused.
        argmax_x (Tensor): Unused.
        grad_input (Tensor): (N, C, H, W), added to.
        aligned_height (int): As in the forward, like all that follow.
        aligned_width (int): See above.
        spatial_scale (float): See above.
        sampling_ratio (int): See above.
        pool_mode (int): See above.
        aligned (bool): See above.

    Raises:
        NotImplementedError: If ``pool_mode`` is 0, the maximum.
    """
    if pool_mode != AVERAGE:
        MissingOp("roi_align with pool_mode='max'")()
    dtype = _compute_dtype(grad_output)
    grad_output, rois = grad_output.to(dtype), rois.to(dtype)
    if grad_output.is_cuda and torch.are_deterministic_algorithms_enabled():
        grad = roi_align_adjoint(grad_output, rois, grad_input.shape, spatial_scale, sampling_ratio, aligned)
    else:
        grad = _kernels()._roi_align_backward(
            grad_output, rois, spatial_scale, aligned_height, aligned_width, *grad_input.shape, sampling_ratio, aligned
        )
    grad_input.add_(grad)
