"""STL-10 from its binary files, decoded once into memory."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from topkd.datasets.files_on_disk import FilesOnDisk
from topkd.datasets.in_memory import Indices, InMemoryImages, compare_with_official
from topkd.datasets.resizing import check_size, resize
from topkd.registry import DATASETS

FOLDER = 'stl10_binary'
DEFAULT_ROOT = 'data/stl10'
SIDE = 96
NUM_VALUES = 3 * SIDE * SIDE
NUM_CLASSES = 10
OFFICIAL_SIZE = dict(train=5000, test=8000)
CHUNK = 500  # images that are decoded at once: 14 MB


@DATASETS.register_module()
class STL10(InMemoryImages, FilesOnDisk):
    """Read the labeled images of STL-10 (RGB, 96 x 96, 10 classes).

    The files hold an image channel by channel, and a channel column by column; labels count from 1. Here images are
    (3, H, W) and labels count from 0. No more than a few hundred images of full size are in memory at once where they
    are resized.

    Args:
        data_root (str | Path, optional): The ``stl10_binary`` folder or its parent; None stands for ``data/stl10``.
        split (str): 'train' or 'test'. Defaults to 'train'.
        size (int, optional): Height and width to resize to, see :func:`topkd.datasets.resizing.resize`. None: 96.
        indices (int | Sequence[int], optional): Keep the first ``indices`` samples, or those of a list of positions.

    Raises:
        FileNotFoundError: If the folder or one of its files is missing.
        ValueError: If a file is broken, or an argument is out of range.

    Source: Coates, Lee and Ng, An Analysis of Single-Layer Networks in Unsupervised Feature Learning, 2011.
    """

    def __init__(
        self,
        data_root: str | Path | None = None,
        split: str = 'train',
        size: int | None = None,
        indices: Indices | None = None,
    ) -> None:
        if split not in OFFICIAL_SIZE:
            raise ValueError(f"expected split 'train' or 'test', got {split!r}")
        check_size(size)
        folder = find_folder(data_root or DEFAULT_ROOT, split)
        labels = read_labels(folder / f'{split}_y.bin')
        images = read_images(folder / f'{split}_X.bin', len(labels), size)
        compare_with_official(folder, split, len(labels), OFFICIAL_SIZE[split])
        super().__init__(
            images, torch.from_numpy(labels), classes=read_classes(folder / 'class_names.txt'), indices=indices
        )

    @classmethod
    def check_files(cls, **arguments: Any) -> None:
        """Look for the folder; see :meth:`FilesOnDisk.check_files`."""
        find_folder(arguments.get('data_root') or DEFAULT_ROOT, arguments.get('split', 'train'))


def find_folder(data_root: str | Path, split: str) -> Path:
    """Locate the ``stl10_binary`` folder at or below ``data_root``.

    Args:
        data_root (str | Path): The folder itself or its parent.
        split (str): The split whose files it must hold.

    Returns:
        Path: The folder.

    Raises:
        FileNotFoundError: If a file is missing.
    """
    root = Path(data_root).expanduser()
    folder = root / FOLDER if (root / FOLDER).is_dir() else root
    missing = [
        name for name in (f'{split}_X.bin', f'{split}_y.bin', 'class_names.txt') if not (folder / name).is_file()
    ]
    if missing:
        raise FileNotFoundError(
            f"expected STL-10's binary files in {folder}, got no {' and no '.join(missing)}: unpack "
            'stl10_binary.tar.gz of the official site there, or set data_root to where it is'
        )
    return folder


def read_labels(path: Path) -> np.ndarray:
    """Read the labels of a split.

    Args:
        path (Path): ``train_y.bin`` or ``test_y.bin``.

    Returns:
        np.ndarray: int64 (N,), from 0 to 9.

    Raises:
        ValueError: If there are none, or one is out of range.
    """
    labels = np.fromfile(path, np.uint8).astype(np.int64)
    if len(labels) == 0 or labels.min() < 1 or labels.max() > NUM_CLASSES:
        got = f'{labels.min()} to {labels.max()}' if len(labels) else 'none'
        raise ValueError(
            f'expected {path} to hold labels from 1 to {NUM_CLASSES}, got {got}: replace it by the official file'
        )
    return labels - 1


def read_images(path: Path, count: int, size: int | None = None) -> torch.Tensor:
    """Read the images of a split.

    Args:
        path (Path): ``train_X.bin`` or ``test_X.bin``.
        count (int): Images that there must be, N.
        size (int, optional): Height and width to resize to. None: 96.

    Returns:
        Tensor: uint8 (N, 3, size, size).

    Raises:
        ValueError: If the file has another length.
    """
    if path.stat().st_size != count * NUM_VALUES:
        raise ValueError(
            f'expected {path} to hold {count} images of {NUM_VALUES} bytes, one a label, got '
            f'{path.stat().st_size} bytes: replace it by the official file'
        )
    stored = np.memmap(path, np.uint8, 'r', shape=(count, 3, SIDE, SIDE))
    images = torch.empty(count, 3, size or SIDE, size or SIDE, dtype=torch.uint8)
    for start in range(0, count, CHUNK):
        columns = torch.from_numpy(np.array(stored[start : start + CHUNK]))
        images[start : start + CHUNK] = resize(columns.transpose(2, 3), size)
    return images


def read_classes(path: Path) -> list[str]:
    """Read the ten names of ``class_names.txt``.

    Raises:
        ValueError: If there are not ten.
    """
    names = path.read_text().split()
    if len(names) != NUM_CLASSES:
        raise ValueError(
            f'expected {path} to hold {NUM_CLASSES} names, got {len(names)}: replace it by the official file'
        )
    return names
