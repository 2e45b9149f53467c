"""CIFAR-100 from the official ``cifar-100-python`` folder, decoded once into memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import barrier, is_main_process
from mmengine.logging import print_log

from topkd.datasets.cifar100_download import BY_HAND, FILES, FOLDER, URL, download_cifar100
from topkd.datasets.class_slices import class_slice
from topkd.datasets.files_on_disk import FilesOnDisk
from topkd.datasets.in_memory import Indices, InMemoryImages, compare_with_official
from topkd.datasets.numpy_pickle import load_arrays
from topkd.registry import DATASETS
from topkd.utils.addresses import is_reachable

NUM_CLASSES = 100
NUM_VALUES = 3 * 32 * 32
OFFICIAL_SIZE = dict(train=50000, test=10000)
DEFAULT_ROOT = 'data/cifar100'


@DATASETS.register_module()
class CIFAR100(InMemoryImages, FilesOnDisk):
    """Read a split of CIFAR-100 (RGB, 32 x 32) with its 100 fine labels.

    The content is checked by keys, types, shapes and label ranges and not by md5 sums, so a subset or another order of
    the samples is welcome. Where the folder is missing, the official archive is downloaded by rank 0.

    Args:
        data_root (str | Path, optional): The ``cifar-100-python`` folder or its parent; None stands for
            ``data/cifar100``.
        split (str): 'train' or 'test'.
        download (bool): Whether to fetch the official archive where there is no such folder.
        indices (Indices, optional): Keep the first ``indices`` samples, or those of a list of positions; None keeps
            all.
        per_class (Sequence[int], optional): Keep of every class the images of ranks ``(begin, end)``, whatever the
            order of the file; see :func:`topkd.datasets.class_slices.class_slice`. Not together with ``indices``.

    Raises:
        FileNotFoundError: If the folder or one of its files is missing and cannot be downloaded.
        ValueError: If a file is broken, or an argument is out of range.

    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """

    def __init__(
        self,
        data_root: str | Path | None = None,
        split: str = 'train',
        download: bool = True,
        indices: Indices | None = None,
        per_class: Sequence[int] | None = None,
    ):
        if indices is not None and per_class is not None:
            raise ValueError('expected indices or per_class, got both: leave one of them out')
        if split not in OFFICIAL_SIZE:
            raise ValueError(f"expected split 'train' or 'test', got {split!r}")
        folder = find_folder(data_root or DEFAULT_ROOT, download)
        images, labels = read_split(folder / split)
        compare_with_official(folder, split, len(labels), OFFICIAL_SIZE[split])
        pixels, classes = torch.from_numpy(images), torch.from_numpy(labels)
        kept = indices if per_class is None else class_slice(pixels, classes, *per_class)
        super().__init__(pixels, classes, classes=read_classes(folder / 'meta'), indices=kept)

    @classmethod
    def check_files(cls, **arguments: Any) -> None:
        """Look for the folder; see :meth:`FilesOnDisk.check_files`. A download is announced where it is possible."""
        folder = place(arguments.get('data_root') or DEFAULT_ROOT)
        nothing_there = not any((folder / name).exists() for name in FILES)
        if nothing_there and arguments.get('download', True) and is_reachable(URL):
            print_log(f"CIFAR-100 is not in '{folder}': it will be downloaded from {URL}", 'current')
            return
        find_folder(folder, download=False)


def place(data_root: str | Path) -> Path:
    """Return the folder ``cifar-100-python`` that a data root stands for, whether it is there or not."""
    root = Path(data_root).expanduser()
    inside = root.name == FOLDER or any((root / name).is_file() for name in FILES)
    return root if inside else root / FOLDER


def find_folder(data_root: str | Path, download: bool) -> Path:
    """Locate the ``cifar-100-python`` folder at or below ``data_root``, downloading it first where it is missing.

    Args:
        data_root (str | Path): The folder itself or its parent.
        download (bool): Whether a missing folder may be downloaded; every rank of a distributed run must pass the same.

    Returns:
        Path: A folder that holds the files train, test and meta.

    Raises:
        FileNotFoundError: If there is no complete folder.
    """
    folder = place(data_root)
    if download:
        # All ranks meet at the barrier, whatever they see: one that looks late finds the folder already there.
        try:
            if is_main_process() and not any((folder / name).exists() for name in FILES):
                download_cifar100(folder)
        finally:
            barrier()
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f'expected the files train, test and meta of CIFAR-100 in {folder}, got no '
            f'{" and no ".join(missing)}: {BY_HAND}'
        )
    return folder


def read_split(path: Path) -> tuple:
    """Read and check the images and fine labels of a file ``train`` or ``test``.

    Args:
        path (Path): The file.

    Returns:
        tuple: uint8 images (N, 3, 32, 32) and int64 labels (N,), both NumPy arrays.

    Raises:
        ValueError: If the file is broken.
    """
    entry = _read_dict(path, ('data', 'fine_labels'))
    data, labels = entry['data'], entry['fine_labels']
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (NUM_VALUES,):
        got = f'{data.dtype} of shape {data.shape}' if isinstance(data, np.ndarray) else type(data).__name__
        raise _broken(path, f"'data' to be uint8 of shape (N, {NUM_VALUES})", got)
    if len(data) == 0:
        raise _broken(path, 'at least one image', 'none')
    if not isinstance(labels, (list, np.ndarray)) or len(labels) != len(data):
        got = str(len(labels)) if isinstance(labels, (list, np.ndarray)) else type(labels).__name__
        raise _broken(path, f"{len(data)} 'fine_labels', one an image", got)
    if not all(isinstance(label, (int, np.integer)) for label in labels):
        kinds = sorted({type(label).__name__ for label in labels})
        raise _broken(path, "'fine_labels' to be whole numbers", str(kinds))
    labels = np.asarray(labels, dtype=np.int64)
    if labels.min() < 0 or labels.max() >= NUM_CLASSES:
        raise _broken(path, f'labels from 0 to {NUM_CLASSES - 1}', f'labels from {labels.min()} to {labels.max()}')
    return np.ascontiguousarray(data).reshape(-1, 3, 32, 32), labels


def read_classes(path: Path) -> list[str]:
    """Read the 100 names of the fine classes from the file ``meta``.

    Args:
        path (Path): The file.

    Returns:
        list: 100 names, in the order of the class numbers.

    Raises:
        ValueError: If the file is broken.
    """
    names = _read_dict(path, ('fine_label_names',))['fine_label_names']
    if not isinstance(names, (list, tuple)) or len(names) != NUM_CLASSES:
        got = str(len(names)) if isinstance(names, (list, tuple)) else type(names).__name__
        raise _broken(path, f"'fine_label_names' to be {NUM_CLASSES} names", got)
    return [_text(name) for name in names]


def _read_dict(path: Path, keys: tuple) -> dict:
    """Read a dict of the official folder, check that it has ``keys``, and turn Python 2's bytes keys into text."""
    entry = load_arrays(path)
    if not isinstance(entry, dict):
        raise _broken(path, 'a dict', type(entry).__name__)
    entry = {_text(key): value for key, value in entry.items()}
    absent = [key for key in keys if key not in entry]
    if absent:
        raise _broken(path, f'the key {" and ".join(map(repr, absent))}', f'the keys {sorted(entry)}')
    return entry


def _text(value: str | bytes) -> str:
    return value.decode('utf-8', 'replace') if isinstance(value, bytes) else str(value)


def _broken(path: Path, expected: str, got: str) -> ValueError:
    return ValueError(f"expected {path} to hold {expected}, got {got}: replace it by the official archive's file")
