"""Context managers to evaluate a model in the middle of its training without changing it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from topkd.models.losses.topology_loss import TopologyLoss


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Evaluate a model inside the block without gradient, and restore its modes and all random generators."""
    modes = [(module, module.training) for module in model.modules()]
    states = random.getstate(), np.random.get_state()
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    try:
        with torch.no_grad(), torch.random.fork_rng(devices):
            model.eval()
            yield
    finally:
        for module, training in modes:
            module.training = training
        random.setstate(states[0])
        np.random.set_state(states[1])


@contextmanager
def alone(loss: TopologyLoss) -> Iterator[None]:
    """Let one process make clouds of its own images inside the block, as all processes together do otherwise."""
    gather, loss.cloud.gather = loss.cloud.gather, False
    try:
        yield
    finally:
        loss.cloud.gather = gather


def some_images(loader: DataLoader, count: int) -> Any:
    """Fetch random images of a loader's data set as one batch, the same ones in every call.

    The first images would be of one class where the data set is a folder that is sorted by class. The random numbers
    are of a generator of their own; a new iterator of the loader would draw one of the training's.

    Args:
        loader (DataLoader): Whose data set and collate function are used.
        count (int): Number of images.

    Raises:
        ValueError: If the data set has fewer.
    """
    dataset: Any = loader.dataset
    indices: list[int] = np.random.default_rng(0).choice(len(dataset), count, replace=False).tolist()
    return fetch(loader, indices)


def fetch(loader: DataLoader, indices: list[int]) -> Any:
    """Fetch some images of a loader's data set as one batch."""
    dataset: Any = loader.dataset
    fetched = (
        dataset.__getitems__(indices) if hasattr(dataset, '__getitems__') else [dataset[index] for index in indices]
    )
    return loader.collate_fn(fetched)
