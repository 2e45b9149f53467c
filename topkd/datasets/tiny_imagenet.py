"""Tiny-ImageNet from its official folder, decoded once into memory."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from topkd.datasets.files_on_disk import FilesOnDisk
from topkd.datasets.in_memory import Indices, InMemoryImages, compare_with_official
from topkd.datasets.resizing import check_size, resize
from topkd.registry import DATASETS

FOLDER = 'tiny-imagenet-200'
DEFAULT_ROOT = 'data/tiny-imagenet'
OFFICIAL_SIZE = dict(train=100_000, val=10_000)
THREADS = 8  # Pillow decodes without holding the interpreter


class Entry(NamedTuple):
    """An image file and its class number."""

    path: Path
    label: int


@DATASETS.register_module()
class TinyImageNet(InMemoryImages, FilesOnDisk):
    """Read a split of Tiny-ImageNet (RGB, 64 x 64, 200 classes).

    Classes are numbered in the order of ``wnids.txt``. Grey images become RGB. The test split has no labels; 'val' is
    what papers report.

    Args:
        data_root (str | Path, optional): The ``tiny-imagenet-200`` folder or its parent; None stands for
            ``data/tiny-imagenet``.
        split (str): 'train' or 'val'. Defaults to 'train'.
        size (int, optional): Height and width to resize to, see :func:`topkd.datasets.resizing.resize`. None: as they
            are.
        indices (int | Sequence[int], optional): Keep the first ``indices`` samples, or those of a list of positions.
            All are decoded.

    Raises:
        FileNotFoundError: If the folder or one of its files is missing.
        ValueError: If a file is broken, or an argument is out of range.

    Source: Le and Yang, Tiny ImageNet Visual Recognition Challenge, 2015.
    """

    def __init__(
        self,
        data_root: str | Path | None = None,
        split: str = 'train',
        size: int | None = None,
        indices: Indices | None = None,
    ) -> None:
        if split not in OFFICIAL_SIZE:
            raise ValueError(f"expected split 'train' or 'val', got {split!r}")
        check_size(size)
        folder = find_folder(data_root or DEFAULT_ROOT)
        wnids = (folder / 'wnids.txt').read_text().split()
        numbers = {wnid: number for number, wnid in enumerate(wnids)}
        entries = list_train(folder, numbers) if split == 'train' else list_val(folder, numbers)
        compare_with_official(folder, split, len(entries), OFFICIAL_SIZE[split])
        labels = torch.tensor([entry.label for entry in entries], dtype=torch.int64)
        super().__init__(
            read_images([entry.path for entry in entries], size), labels, read_names(folder, wnids), indices
        )

    @classmethod
    def check_files(cls, **arguments: Any) -> None:
        """Look for the folder; see :meth:`FilesOnDisk.check_files`."""
        find_folder(arguments.get('data_root') or DEFAULT_ROOT)


def find_folder(data_root: str | Path) -> Path:
    """Locate the ``tiny-imagenet-200`` folder at or below ``data_root``.

    Raises:
        FileNotFoundError: If there is no ``wnids.txt``.
    """
    root = Path(data_root).expanduser()
    folder = root / FOLDER if (root / FOLDER).is_dir() else root
    if not (folder / 'wnids.txt').is_file():
        raise FileNotFoundError(
            f'expected Tiny-ImageNet in {folder}, got no wnids.txt there: unpack tiny-imagenet-200.zip of the '
            'official site there, or set data_root to where it is'
        )
    return folder


def list_train(folder: Path, numbers: dict[str, int]) -> list[Entry]:
    """List ``train/<wnid>/images/*.JPEG`` of every class.

    Args:
        folder (Path): The data set's folder.
        numbers (dict): Class number by wnid.

    Returns:
        list[Entry]: Sorted by class and name.

    Raises:
        FileNotFoundError: If a class has no images.
    """
    entries = []
    for wnid, number in numbers.items():
        found = sorted((folder / 'train' / wnid / 'images').glob('*.JPEG'))
        if not found:
            raise FileNotFoundError(
                f'expected images of class {wnid} in {folder / "train" / wnid / "images"}, got no *.JPEG: unpack '
                'the official archive again, or take the class out of wnids.txt'
            )
        entries += [Entry(path, number) for path in found]
    return entries


def list_val(folder: Path, numbers: dict[str, int]) -> list[Entry]:
    """List the images that ``val/val_annotations.txt`` names, in its order.

    Args:
        folder (Path): The data set's folder.
        numbers (dict): Class number by wnid.

    Returns:
        list[Entry]: One an annotation.

    Raises:
        FileNotFoundError: If the annotations or an image are missing.
        ValueError: If a line is not a file name and a wnid of ``wnids.txt``.
    """
    path = folder / 'val' / 'val_annotations.txt'
    if not path.is_file():
        raise FileNotFoundError(
            f'expected the labels of the validation images in {path}, got no such file: unpack the official '
            'archive again; images sorted into folders are not read'
        )
    entries = []
    for line in filter(None, path.read_text().splitlines()):
        name, wnid = (line.split('\t') + [''])[:2]
        if wnid not in numbers:
            raise ValueError(
                f'expected lines of {path} to name an image and a class of wnids.txt, got {line!r}: replace it by '
                'the official file'
            )
        entries.append(Entry(folder / 'val' / 'images' / name, numbers[wnid]))
    if not entries:
        raise ValueError(f'expected {path} to name images, got an empty file: replace it by the official file')
    return entries


def read_images(paths: Sequence[Path], size: int | None = None) -> Tensor:
    """Decode images into one tensor.

    Args:
        paths (Sequence[Path]): N files of images of one size, or of any sizes that are resized.
        size (int, optional): Height and width to resize to. None: the first image's.

    Returns:
        Tensor: uint8 RGB (N, 3, H, W).

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is no image, or of another size than the first.
    """
    shape = tuple(read_image(paths[0], size).shape)
    images = torch.empty(len(paths), *shape, dtype=torch.uint8)

    def fill(item: tuple[int, Path]) -> None:
        image = read_image(item[1], size)
        if tuple(image.shape) != shape:
            raise ValueError(
                f'expected images of one size, got {shape[1:]} for {paths[0]} and {tuple(image.shape)[1:]} for '
                f'{item[1]}: set size to resize them'
            )
        images[item[0]] = image

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(fill, enumerate(paths)):
            pass
    return images


def read_image(path: Path, size: int | None = None) -> Tensor:
    """Decode one image, uint8 RGB (3, H, W)."""
    if not path.is_file():
        raise FileNotFoundError(f'expected the image {path}, got no such file: unpack the official archive again')
    try:
        with Image.open(path) as image:
            pixels = np.array(image.convert('RGB'))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f'expected {path} to be an image, got a file that cannot be decoded: replace it') from error
    return resize(torch.from_numpy(pixels).permute(2, 0, 1)[None], size)[0]


def read_names(folder: Path, wnids: Sequence[str]) -> list[str]:
    """Read the classes' names from ``words.txt``; where it is missing, or lacks one, the wnid is the name."""
    path = folder / 'words.txt'
    lines = path.read_text().splitlines() if path.is_file() else []
    names = dict(line.split('\t', 1) for line in lines if '\t' in line)
    return [names.get(wnid, wnid) for wnid in wnids]
