"""The embeddings that teacher and students make of labeled images."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch

from topkd.analysis.trained_students import TrainedStudents
from topkd.models.clouds import pool
from topkd.utils.tensors import full_precision


class Embeddings(NamedTuple):
    """Points (N, d) by network, the teacher first, each network of its own width d, and the images' classes (N, ).

    Example:
        >>> Embeddings(dict(teacher=np.zeros((2, 64))), labels=np.array([0, 1])).points['teacher'].shape
        (2, 64)
    """

    points: dict[str, np.ndarray]
    labels: np.ndarray


def collect_embeddings(trained: TrainedStudents, batches: Iterable[dict], limit: int | None = None) -> Embeddings:
    """Collect one point an image and network: the features at the loss's taps, averaged over locations, not projected.

    Args:
        trained (TrainedStudents): The networks; the loss's taps, by default the classifier's input, are the embeddings.
        batches (Iterable[dict]): As a dataloader makes them.
        limit (int, optional): Number of batches; None for all.

    Returns:
        Embeddings: On the CPU.

    Raises:
        ValueError: If there are no images, an image has not exactly one class, or an embedding is not finite.
    """
    points: dict[str, list[np.ndarray]] = {}
    labels: list[int] = []
    for features, samples in trained.features(batches, limit):
        for name, value in features.items():
            points.setdefault(name, []).append(pool(full_precision(value)).cpu().numpy())
        labels += [_label(sample) for sample in samples]
    if not labels:
        raise ValueError('the split holds no images: correct data_root, or ask for one batch at least')
    joined = {name: np.concatenate(parts) for name, parts in points.items()}
    for name, value in joined.items():
        if not np.isfinite(value).all():
            raise ValueError(
                f"embeddings of '{name}' are not all finite: its training diverged, name another checkpoint"
            )
    return Embeddings(joined, np.asarray(labels))


def class_names(dataset: Any, labels: np.ndarray) -> dict[int, str]:
    """Return the name of every class that occurs; its number if the data set does not name its classes.

    Args:
        dataset (Any): With ``metainfo``, as MMEngine's data sets have it.
        labels (np.ndarray): (N, ).

    Example:
        >>> class_names(None, np.array([3, 1, 3]))
        {1: '1', 3: '3'}
    """
    names = (getattr(dataset, 'metainfo', None) or {}).get('classes') or ()
    return {number: str(names[number]) if number < len(names) else str(number) for number in np.unique(labels).tolist()}


def _label(sample: Any) -> int:
    label = getattr(sample, 'gt_label', None)
    if label is None or torch.as_tensor(label).numel() != 1:
        raise ValueError(
            'cluster scores need images of exactly one class each (gt_label): name the config of a classifier'
        )
    return int(label)
