"""Labeled images held in memory as one tensor, so that a batch costs a single ``index_select``."""

import logging
from collections.abc import Mapping, Sequence
from typing import NoReturn

import torch
from mmengine.logging import print_log
from torch import Tensor
from torch.utils.data import Dataset

from topkd.registry import FUNCTIONS

Indices = int | Sequence[int]


def compare_with_official(folder: object, split: str, found: int, official: int) -> None:
    """Warn where a split does not hold the official number of images.

    Args:
        folder (object): Where the data set lies.
        split (str): Which of its splits it is.
        found (int): Images that it holds.
        official (int): Images that it should hold.
    """
    if found != official:
        print_log(
            f'{folder} holds {found} images of the {split} split, the official one has {official}: results are not '
            'comparable with published ones.',
            logger='current',
            level=logging.WARNING,
        )


class ImageBatch(dict):
    """A batch that is already stacked, and says so to a collate function that expects a list of samples."""

    def __missing__(self, key: str) -> NoReturn:
        raise KeyError(
            f'a data set in memory yields whole batches with the keys {sorted(self)}, got a request '
            f"for {key!r}: set collate_fn=dict(type='topkd.collate_batch') in the dataloader"
        )


class InMemoryImages(Dataset):
    """Hold decoded images and their labels, and serve single samples or whole batches of them.

    PyTorch's fetcher calls :meth:`__getitems__` once per batch where a data set has it, so a batch of any size is one
    ``index_select`` of the image tensor and nothing is decoded, copied or collated image by image.

    Args:
        images (Tensor): uint8 pixels (N, 3, H, W).
        labels (Tensor): int64 class numbers (N,).
        classes (Sequence[str]): The names of the classes, in the order of their numbers.
        indices (Indices, optional): Keep the first ``indices`` samples, the last ``-indices`` where it is negative, or
            those of a list of positions; None keeps all.

    Raises:
        ValueError: If images and labels do not fit together, or ``indices`` point outside of the data.
    """

    def __init__(self, images: Tensor, labels: Tensor, classes: Sequence[str], indices: Indices | None = None):
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(
                f'expected uint8 images of shape (N, 3, H, W), got {images.dtype} of shape {tuple(images.shape)}'
            )
        if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
            raise ValueError(
                f'expected int64 labels of shape ({len(images)},), one an image, got '
                f'{labels.dtype} of shape {tuple(labels.shape)}'
            )
        if indices is not None:
            # A copy and not a view: a view would keep, and pickle, the storage of the whole set.
            kept = positions(indices, len(images))
            images, labels = images.index_select(0, kept), labels.index_select(0, kept)
        self.images = images.contiguous()
        self.labels = labels.contiguous()
        self._classes = tuple(classes)

    @property
    def metainfo(self) -> dict:
        """dict: The names of the classes, under MMEngine's key ``classes``."""
        return dict(classes=self._classes)

    def full_init(self) -> None:
        """Do nothing: the data are complete already, MMEngine's data set wrappers only ask for the method."""

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict:
        """Return one sample: ``inputs`` uint8 (3, H, W), ``gt_label`` int64 () and ``sample_idx`` int64 ()."""
        return dict(inputs=self.images[index], gt_label=self.labels[index], sample_idx=torch.tensor(index % len(self)))

    def __getitems__(self, indices: Sequence[int]) -> ImageBatch:
        """Return a batch: ``inputs`` uint8 (N, 3, H, W), ``gt_label`` and ``sample_idx`` int64 (N,)."""
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        return ImageBatch(
            inputs=self.images.index_select(0, chosen), gt_label=self.labels.index_select(0, chosen), sample_idx=chosen
        )


@FUNCTIONS.register_module()
def collate_batch(batch: Mapping | Sequence[Mapping]) -> dict:
    """Pass a stacked batch through, and stack a list of samples (what a data set wrapper yields) into one.

    Args:
        batch (Mapping | Sequence[Mapping]): A dict of tensors (N, ...), or a list of N dicts of tensors (...) with the
            same keys.

    Returns:
        dict: One tensor (N, ...) a key.

    Raises:
        TypeError: If the samples are not dicts.
    """
    if isinstance(batch, Mapping):
        return dict(batch)
    if not all(isinstance(sample, Mapping) for sample in batch):
        raise TypeError(
            'expected samples that are dicts of tensors such as dict(inputs=..., gt_label=...), got '
            f'{sorted({type(sample).__name__ for sample in batch})}'
        )
    return {key: torch.stack([sample[key] for sample in batch]) for key in batch[0]}


def positions(indices: Indices, length: int) -> Tensor:
    """Translate MMEngine's ``indices`` argument into positions in a data set of ``length`` samples.

    Args:
        indices (Indices): A number of samples from the start (positive) or the end (negative), or a list of positions.
        length (int): The number of samples there are.

    Returns:
        Tensor: int64 positions (K,) from 0 to ``length - 1``.

    Raises:
        TypeError: If ``indices`` is neither a whole number nor a list of them.
        ValueError: If ``indices`` select nothing or point outside of the data.
    """
    everything = torch.arange(length)
    if isinstance(indices, int) and not isinstance(indices, bool):
        if not 0 < abs(indices) <= length:
            raise ValueError(
                f'expected indices to select 1 to {length} samples (negative: from the end), got {indices}'
            )
        return everything[:indices] if indices > 0 else everything[indices:]
    if isinstance(indices, (str, bool)) or not all(isinstance(index, int) for index in indices) or len(indices) == 0:
        raise TypeError(f'expected indices to be a number of samples or a list of positions, got {indices!r}')
    if min(indices) < -length or max(indices) >= length:
        raise ValueError(
            f'expected indices inside a data set of {length} samples, got positions from '
            f'{min(indices)} to {max(indices)}'
        )
    return everything[torch.as_tensor(indices)]
