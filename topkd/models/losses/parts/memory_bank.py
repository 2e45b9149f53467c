"""Embeddings of every image of a training set, and images of other classes drawn from it."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import all_gather, all_reduce
from torch import Tensor, nn
from torch.nn import functional as F


class MemoryBank(nn.Module):
    r"""Keep one embedding an image, moved towards each new one.

    .. math:: m_i \leftarrow \frac{\mu\, m_i + (1 - \mu)\, v_i}{\|\mu\, m_i + (1 - \mu)\, v_i\|_2}

    The bank is a buffer: it moves with the model, is saved in its checkpoints and belongs to no optimizer. Every
    process applies the updates of all processes in the order of their ranks, so the banks of all of them stay equal.

    Args:
        num_samples (int, optional): Images of the training set, n. None: told by :meth:`resize`, or by a checkpoint.
        width (int): Of the embeddings, d.
        momentum (float): mu, from 0 to 1. Defaults to 0.5.

    Example:
        >>> bank = MemoryBank(num_samples=100, width=16, momentum=0.5)
        >>> bank.update(torch.tensor([7]), F.normalize(torch.ones(1, 16)))
        >>> bank(torch.tensor([7])).norm()
        tensor(1.)

    Source: Wu et al., Unsupervised Feature Learning via Non-Parametric Instance Discrimination; initial values of CRD's
    code.
    """

    embeddings: Tensor

    def __init__(self, num_samples: int | None, width: int, momentum: float = 0.5) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer('embeddings', torch.empty(0, width))
        if num_samples is not None:
            self.resize(num_samples)

    def resize(self, num_samples: int) -> None:
        """Start over with random embeddings of so many images, without a draw from the training's random numbers."""
        width = self.embeddings.shape[1]
        bound = 1 / math.sqrt(width / 3)
        generator = torch.Generator().manual_seed(num_samples)
        drawn = torch.empty(num_samples, width).uniform_(-bound, bound, generator=generator)
        self.embeddings = drawn.to(self.embeddings.device)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        found = state_dict.get(f'{prefix}embeddings')
        if not len(self.embeddings) and found is not None:  # a resumed training knows the size before its data set does
            self.embeddings = torch.empty_like(found, device=self.embeddings.device)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, indices: Tensor) -> Tensor:
        """Return the embeddings (..., d) of images int64 (...)."""
        return self.embeddings[indices]

    @torch.no_grad()
    def update(self, indices: Tensor, embeddings: Tensor) -> None:
        """Move the embeddings of the images of all processes.

        Args:
            indices (Tensor): int64 (N,) of this process, as many in each. An image that comes twice takes the later
                one's.
            embeddings (Tensor): (N, d), of length 1.
        """
        indices = torch.cat(all_gather(indices.contiguous()))
        embeddings = torch.cat(all_gather(embeddings.detach().to(self.embeddings.dtype).contiguous()))
        moved = self.momentum * self.embeddings[indices] + (1 - self.momentum) * embeddings
        self.embeddings.index_copy_(0, indices, F.normalize(moved))


class OtherClasses(nn.Module):
    """Draw images of other classes, on the device and without waiting for it.

    Args:
        labels (Tensor): Class of every image of the training set, int64 (n,).

    Raises:
        ValueError: If all images are of one class.

    Example:
        >>> others = OtherClasses(torch.tensor([0, 1, 1]))
        >>> others.draw(torch.tensor([1]), number=2)
        tensor([[0, 0]])
    """

    order: Tensor
    counts: Tensor
    starts: Tensor

    def __init__(self, labels: Tensor) -> None:
        super().__init__()
        if len(labels.unique()) < 2:
            raise ValueError('images of other classes need two classes at least, the training set has one')
        counts = torch.bincount(labels)
        # images sorted by class: those of other classes are all places but one block
        self.register_buffer('order', labels.argsort(stable=True), persistent=False)
        self.register_buffer('counts', counts, persistent=False)
        self.register_buffer('starts', counts.cumsum(0) - counts, persistent=False)

    def draw(self, labels: Tensor, number: int) -> Tensor:
        """Draw images uniformly, with replacement.

        Args:
            labels (Tensor): int64 (N,), the classes to avoid.
            number (int): Images a label, K.

        Returns:
            Tensor: Indices int64 (N, K).
        """
        block, start = self.counts[labels][:, None], self.starts[labels][:, None]
        others = len(self.order) - block
        # double precision: a float would not reach every image of a large set
        places = (torch.rand(len(labels), number, dtype=torch.float64, device=labels.device) * others).long()
        places = torch.minimum(places, others - 1)
        return self.order[torch.where(places < start, places, places + block)]


@torch.no_grad()
def fix_normalizers(normalizers: Tensor, scores: Tensor, num_samples: int) -> None:
    r"""Set the constants that scores are divided by in the first step, and never again.

    .. math:: Z = n\, \bar s

    Args:
        normalizers (Tensor): Z, (2,), changed in place; negative before the first step.
        scores (Tensor): s, (2, ...), of both networks; averaged over all processes.
        num_samples (int): Images of the training set, n.

    Example:
        >>> normalizers = torch.full((2,), -1.0)
        >>> fix_normalizers(normalizers, torch.ones(2, 4), num_samples=100)
        >>> normalizers
        tensor([100., 100.])
    """
    means = scores.flatten(1).mean(dim=1) * num_samples
    all_reduce(means, 'mean')
    # no question to the device whether it is the first step
    normalizers.copy_(torch.where(normalizers < 0, means, normalizers))


def unprepared(loss: nn.Module) -> RuntimeError:
    """Return the error of a forward before ``prepare``.

    Example:
        >>> type(unprepared(nn.Identity())).__name__
        'RuntimeError'
    """
    return RuntimeError(
        f'{type(loss).__name__} does not know the training set yet: call prepare(dataset), or add '
        'topkd.TrainingSetHook to custom_hooks, as tools/train.py does'
    )


def fit_banks(loss: nn.Module, banks: Sequence[MemoryBank], dataset: Any) -> None:
    """Give banks without a size that of the training set.

    Args:
        loss (nn.Module): Its name stands in the message.
        banks (Sequence[MemoryBank]): All of one size.
        dataset (Any): The training set.

    Raises:
        ValueError: If it has another number of images than the banks.

    Example:
        >>> bank = MemoryBank(num_samples=None, width=16)
        >>> fit_banks(nn.Module(), [bank], dataset=range(100))
        >>> bank.embeddings.shape
        torch.Size([100, 16])
    """
    for bank in banks:
        if not len(bank.embeddings):
            bank.resize(len(dataset))
    found = len(banks[0].embeddings)
    if len(dataset) != found:
        raise ValueError(
            f'{type(loss).__name__} has banks of {found} images, the training set has {len(dataset)}: set its '
            f'num_samples to {len(dataset)}, or resume with the training set that it began with'
        )


def training_labels(dataset: Any) -> Tensor:
    """Return the class of every image of a training set without decoding the images.

    Args:
        dataset (Any): One of this package's in memory, or of mmpretrain.

    Returns:
        Tensor: int64 (n,).

    Raises:
        TypeError: If the data set does not tell its labels.

    Example:
        >>> from types import SimpleNamespace
        >>> training_labels(SimpleNamespace(labels=torch.tensor([1, 0])))
        tensor([1, 0])
    """
    if isinstance(getattr(dataset, 'labels', None), Tensor):
        return dataset.labels
    labels = dataset.get_gt_labels() if hasattr(dataset, 'get_gt_labels') else None
    if labels is None or isinstance(labels[0], Sequence):
        own = getattr(dataset, 'dataset', dataset)  # that of a training is wrapped, see topkd.datasets.SeededDataset
        raise TypeError(
            f'the loss needs the label of every training image, {type(own).__name__} does not tell them: use a data '
            'set of topkd or a single-label one of mmpretrain'
        )
    return torch.as_tensor(labels).long()
