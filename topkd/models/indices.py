"""Read which images of the training set a batch holds."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def indices_of(data_samples: Sequence[Any] | None) -> Tensor:
    """Return the index of every image in its data set.

    Args:
        data_samples (Sequence): One an image, with the ``sample_idx`` that data sets of MMEngine give it.

    Returns:
        Tensor: int64 (N,), on the device of the samples or the CPU.

    Raises:
        ValueError: If there are no samples, or one has no index.

    Example:
        >>> from mmpretrain.structures import DataSample
        >>> indices_of([DataSample(metainfo=dict(sample_idx=7)), DataSample(metainfo=dict(sample_idx=2))])
        tensor([7, 2])
    """
    indices = [getattr(sample, 'sample_idx', None) for sample in data_samples or ()]
    if not indices or any(index is None for index in indices):
        raise ValueError(
            'the index of every image in the training set is needed, got data samples without sample_idx: use a data '
            "set of topkd or mmpretrain, and keep 'sample_idx' among the meta keys of PackInputs"
        )
    return torch.stack([torch.as_tensor(index).reshape(()) for index in indices]).long()
