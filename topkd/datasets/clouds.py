"""Clouds and their images, read from a finished artifact in constant memory."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from topkd.artifacts.array_file import ArrayFile
from topkd.artifacts.artifact import read_manifest
from topkd.registry import DATASETS


@DATASETS.register_module()
class CloudImages(Dataset):
    """Pairs of a point cloud (n, d) and its persistence image (P,).

    A batch is fetched at once, as ``dict(points=(B, n, d), images=(B, P))``; use it with ``topkd.collate_batch``.

    Args:
        folder (str): Artifact of ``tools/gen_pi.py``.
        split (str): 'train', 'val' or 'all'.
        val_share (float): Share of the clouds that is held out. Defaults to 0.25, the authors' code.
        seed (int): Seed of the split. Defaults to 0.

    Raises:
        FileNotFoundError: If the artifact does not exist.
        ValueError: If it is not finished, damaged, or has too few clouds to be split.
    """

    def __init__(self, folder: str, split: str = 'all', val_share: float = 0.25, seed: int = 0) -> None:
        self.manifest = read_manifest(folder)
        self.points = ArrayFile(f'{folder}/clouds.npy')
        self.images = ArrayFile(f'{folder}/images.npy')
        order = np.random.default_rng(seed).permutation(len(self.points))
        held_out = round(val_share * len(order))
        if split != 'all' and not 0 < held_out < len(order):
            raise ValueError(
                f"{len(order)} clouds in '{folder}' cannot be split with val_share={val_share}: make more "
                'clouds (clouds.num_clouds)'
            )
        parts = dict(all=order, val=order[:held_out], train=order[held_out:])
        if split not in parts:
            raise ValueError(f"split must be 'train', 'val' or 'all', got '{split}'")
        self._check_lengths(folder)
        self.rows = np.sort(parts[split])
        self.metainfo: dict = {}

    def _check_lengths(self, folder: str) -> None:
        if len(self.points) != len(self.images):
            raise ValueError(
                f"'{folder}' holds {len(self.points)} clouds and {len(self.images)} images: run tools/gen_pi.py CONFIG "
                'again, which makes the damaged part again'
            )

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict:
        batch = self.__getitems__([index])
        return {name: tensor[0] for name, tensor in batch.items()}

    def __getitems__(self, indices: list[int] | Tensor) -> dict:
        rows = self.rows[np.asarray(indices)]
        return dict(points=torch.from_numpy(self.points.take(rows)), images=torch.from_numpy(self.images.take(rows)))


def mean_image_error(train: CloudImages, val: CloudImages) -> float:
    r"""Return how far the mean image of one split is from the images of another.

    .. math:: \frac{1}{N P} \sum_{i, p} (I_{ip} - \bar I_p)^2

    A network that does not look at its clouds can do no better on new ones.

    Args:
        train (CloudImages): Split whose images are averaged.
        val (CloudImages): Split of N images of P pixels each.
    """
    mean = sum(part.sum(axis=0) for part in _images(train)) / len(train)
    error = sum(np.square(part - mean).sum() for part in _images(val))
    return float(error / (len(val) * mean.size))


def _images(split: CloudImages, rows: int = 4096) -> Iterator[np.ndarray]:
    """Yield the images of a split in double precision, some at a time."""
    for start in range(0, len(split), rows):
        yield split.images.take(split.rows[start : start + rows]).astype(np.float64)
