"""A batch whose tensors keep their places in memory, however often other images are written into them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

Stacked = dict[str, Tensor]


class StaticBatch:
    """Hold preprocessed images and what is annotated, and take over those of other batches of the same shape.

    What the samples hold besides tensors, such as a file's name, stays that of the first batch.

    Args:
        inputs (Tensor): Images (N, 3, H, W).
        data_samples (Sequence): N samples whose tensors have the same shapes.

    Raises:
        ValueError: If the samples have tensors of different shapes, as boxes are.

    Example:
        >>> from mmpretrain.structures import DataSample
        >>> batch = StaticBatch(torch.zeros(1, 3, 2, 2), [DataSample().set_gt_label(3)])
        >>> batch.fill(torch.ones(1, 3, 2, 2), [DataSample().set_gt_label(7)])
        >>> batch.inputs.mean(), batch.data_samples[0].gt_label
        (tensor(1.), tensor([7]))
    """

    def __init__(self, inputs: Tensor, data_samples: Sequence[Any]) -> None:
        self.inputs = inputs.clone(memory_format=torch.preserve_format)
        self.stacked = stacked(data_samples)
        self.data_samples = [sample.clone() for sample in data_samples]
        for key, values in self.stacked.items():
            for sample, value in zip(self.data_samples, values.unbind()):
                sample.set_field(value, key, field_type='metainfo' if key in sample.metainfo else 'data')

    def fits(self, inputs: Tensor, data_samples: Sequence[Any] | None) -> bool:
        """Tell whether another batch has the same shapes.

        Args:
            inputs (Tensor): Images.
            data_samples (Sequence, optional): What is annotated.
        """
        if inputs.shape != self.inputs.shape or inputs.dtype != self.inputs.dtype or not data_samples:
            return False
        return _shapes(data_samples) == _shapes(self.data_samples)

    def fill(self, inputs: Tensor, data_samples: Sequence[Any]) -> None:
        """Take over another batch that fits.

        Args:
            inputs (Tensor): Images (N, 3, H, W).
            data_samples (Sequence): N samples.
        """
        self.inputs.copy_(inputs)
        for key, values in stacked(data_samples).items():
            self.stacked[key].copy_(values)


def stacked(data_samples: Sequence[Any]) -> Stacked:
    """Return the tensors of samples by their names, those of all samples in one.

    Args:
        data_samples (Sequence): MMEngine's data elements.

    Raises:
        ValueError: If a name has tensors of different shapes.
    """
    found = {}
    for key in _keys(data_samples[0]):
        values = [sample.get(key) for sample in data_samples]
        if len({getattr(value, 'shape', None) for value in values}) > 1:
            raise ValueError(f"'{key}' must have one shape in all samples of a batch, got several: train eagerly")
        found[key] = torch.stack(values)
    return found


def _shapes(data_samples: Sequence[Any]) -> list[dict[str, Any]]:
    return [{key: sample.get(key).shape for key in _keys(sample)} for sample in data_samples]


def _keys(sample: Any) -> list[str]:
    return sorted(key for key in sample.all_keys() if isinstance(sample.get(key), Tensor))
