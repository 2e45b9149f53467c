"""Read the classes of a batch from its data samples."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def labels_of(data_samples: Sequence[Any] | None) -> Tensor:
    """Return the class of every image.

    Args:
        data_samples (Sequence): One an image, with ``gt_label`` (1,), as mmpretrain makes them.

    Returns:
        Tensor: int64 (N,), on the device of the samples.

    Raises:
        ValueError: If there are no samples, or one has no label.

    Example:
        >>> from mmpretrain.structures import DataSample
        >>> labels_of([DataSample().set_gt_label(3), DataSample().set_gt_label(1)])
        tensor([3, 1])
    """
    labels = [getattr(sample, 'gt_label', None) for sample in data_samples or ()]
    if not labels or any(label is None for label in labels):
        raise ValueError(
            'this loss needs the label of every image, got a batch without labels: use a data set whose samples have '
            'gt_label, or a loss that needs none'
        )
    return torch.cat([torch.as_tensor(label).reshape(1) for label in labels])
