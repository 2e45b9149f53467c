"""A folder of own detection data in COCO's format: its jsons, where its images are, and its classes."""

import json
from pathlib import Path
from typing import NamedTuple

from topkd.datasets.coco_file import check_coco_file

DEEPEST = 2  # folders between the data root and an image


class Split(NamedTuple):
    """A part of the data.

    Attributes:
        annotations (str): Its json, relative to the data root.
        images (str): Prefix of the images' names, relative to the data root; '' if the json names them from there.
    """

    annotations: str
    images: str


class CocoFolder(NamedTuple):
    """A data set.

    Attributes:
        root (str): Data root, as given.
        classes (tuple[str, ...]): Names in the order of the json's categories.
        train (Split): To train on.
        val (Split): To measure on.
    """

    root: str
    classes: tuple[str, ...]
    train: Split
    val: Split


def coco_folder(root: str) -> CocoFolder:
    """Look a folder of detection data over.

    Args:
        root (str): With one json of each split in ``annotations/``, whose name has 'train' or 'val' in it and, if
            there are several, begins with 'instances'.

    Returns:
        CocoFolder: What was found.

    Raises:
        FileNotFoundError: If the folder, a json or the first image of a split is missing.
        ValueError: If a json is no COCO json, several could be meant, or the classes of the splits differ.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder '{root}': name the folder of the data by --data")
    found = {split: _json(folder, split) for split in ('train', 'val')}
    classes = {split: _classes(path) for split, path in found.items()}
    if classes['train'] != classes['val']:
        raise ValueError(
            f"'{found['train']}' and '{found['val']}' must list the same classes in the same order, got "
            f'{", ".join(classes["train"])} and {", ".join(classes["val"])}: correct one of them'
        )
    splits = {split: Split(path.relative_to(folder).as_posix(), _prefix(folder, path)) for split, path in found.items()}
    return CocoFolder(root, classes['train'], splits['train'], splits['val'])


def _json(folder: Path, split: str) -> Path:
    """Return the only json of a split."""
    named = sorted((folder / 'annotations').glob(f'*{split}*.json'))
    chosen = [path for path in named if path.name.startswith('instances')] or named
    if not chosen:
        raise FileNotFoundError(
            f"there is no json of the split '{split}' in '{folder / 'annotations'}': put it there as "
            f'instances_{split}.json, or make it of Pascal VOC or YOLO by topkd convert-detection {folder}'
        )
    if len(chosen) > 1:
        raise ValueError(
            f"one json of the split '{split}' is expected in '{folder / 'annotations'}', got "
            f'{", ".join(path.name for path in chosen)}: move the others elsewhere'
        )
    return chosen[0]


def _classes(path: Path) -> tuple[str, ...]:
    check_coco_file(str(path))
    categories = json.loads(path.read_text(encoding='utf-8'))['categories']
    return tuple(category['name'] for category in categories)


def _prefix(folder: Path, path: Path) -> str:
    """Return the folder below the data root in which the first image of a json lies."""
    name = json.loads(path.read_text(encoding='utf-8'))['images'][0]['file_name']
    below = [sub for sub in _folders(folder, DEEPEST) if (sub / name).is_file()]
    if not below:
        raise FileNotFoundError(
            f"the first image of '{path}', '{name}', is in no folder of '{folder}': put the images there"
        )
    # images of both splits can have the same names: then the folder is named like the json
    split = 'train' if 'train' in path.name else 'val'
    chosen = next((sub for sub in below if split in sub.relative_to(folder).as_posix()), below[0])
    prefix = chosen.relative_to(folder).as_posix()
    return '' if prefix == '.' else f'{prefix}/'


def _folders(folder: Path, depth: int) -> list[Path]:
    """List a folder and those below it, level by level."""
    deeper = [path for path in sorted(folder.iterdir()) if path.is_dir()] if depth else []
    return [folder, *(found for path in deeper for found in _folders(path, depth - 1))]
