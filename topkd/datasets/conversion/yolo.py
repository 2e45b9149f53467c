"""YOLO: a text file an image with shares of its size, and a YAML file that names classes and splits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from topkd.datasets.conversion.annotated import IMAGE_SUFFIXES, AnnotatedImage, Box

NAMES = ('data.yaml', 'dataset.yaml', 'data.yml', 'dataset.yml')


def yaml_of(root: Path) -> Path | None:
    """Return the YAML file of a folder that is laid out as YOLO's, None if there is none."""
    return next((root / name for name in NAMES if (root / name).is_file()), None)


def yolo_description(root: Path) -> tuple[list[str], dict[str, list[Path]]]:
    """Read the YAML file.

    Args:
        root (Path): With ``data.yaml``, which has ``names`` (a list, or a dict by number) and the folders of images
            ``train`` and ``val``; ``path`` in it counts from ``root`` if it is relative, and stands for ``root`` if
            it names a folder of another machine.

    Returns:
        tuple: Classes in the order of their numbers, and the images by split.

    Raises:
        FileNotFoundError: If there is no YAML file, or no image in a split.
        ValueError: If the file says no classes or no splits.
    """
    path = yaml_of(root)
    if path is None:
        raise FileNotFoundError(f"there is no {NAMES[0]} in '{root}': write one with names, train and val")
    try:
        content: Any = yaml.safe_load(path.read_text(encoding='utf-8'))
    except yaml.YAMLError as error:
        raise ValueError(f"'{path}' is no YAML ({' '.join(str(error).split())}): correct it") from error
    names = content.get('names') if isinstance(content, dict) else None
    if isinstance(names, dict):
        names = [names[number] for number in sorted(names)] if sorted(names) == list(range(len(names))) else None
    if not isinstance(names, list) or not names or not all(isinstance(name, (str, int)) for name in names):
        raise ValueError(f"'{path}' must have names, a list of the classes in the order of their numbers: add it")
    base = root / str(content.get('path') or '')
    base = base if base.is_dir() else root
    return [str(name) for name in names], {split: _images(path, base, content.get(split)) for split in ('train', 'val')}


def _images(path: Path, base: Path, folder: Any) -> list[Path]:
    folders = [folder] if isinstance(folder, str) else folder
    if not isinstance(folders, list) or not folders or not all(isinstance(name, str) for name in folders):
        raise ValueError(f"'{path}' must name the folders of images train and val, got {folder!r}: add them")
    # a folder that was written as seen from another place is looked for by its last parts
    found = [next((b for b in (base / name, base / name.lstrip('./')) if b.is_dir()), base / name) for name in folders]
    images = sorted(image for place in found for image in place.rglob('*') if image.suffix.lower() in IMAGE_SUFFIXES)
    if not images:
        raise FileNotFoundError(f"there are no images in '{found[0]}', which '{path}' names: correct it")
    return images


def yolo_images(images: Sequence[Path], classes: Sequence[str]) -> list[AnnotatedImage]:
    """Read the text files of images; an image without one has no objects.

    A line is ``class x y width height``, the center and the size as shares of the image's. The text file of
    ``images/a/1.jpg`` is ``labels/a/1.txt``.

    Args:
        images (Sequence[Path]): The images, whose sizes are read from their headers.
        classes (Sequence[str]): Names by number.

    Raises:
        ValueError: If a line is no box; the message names file and line.
    """
    result = []
    for path in images:
        with Image.open(path) as image:
            width, height = image.size
        labels = label_file(path)
        lines = labels.read_text(encoding='utf-8-sig').splitlines() if labels.is_file() else []
        boxes = [
            _box(labels, number, line, width, height, classes) for number, line in enumerate(lines, 1) if line.strip()
        ]
        result.append(AnnotatedImage(path, width, height, boxes, labels))
    return result


def label_file(image: Path) -> Path:
    """Return the text file of an image.

    Example:
        >>> label_file(Path('data/images/train/1.jpg')).as_posix()
        'data/labels/train/1.txt'
    """
    parts = list(image.with_suffix('.txt').parts)
    last = max((index for index, part in enumerate(parts) if part == 'images'), default=None)
    if last is not None:
        parts[last] = 'labels'
    return Path(*parts)


def _box(path: Path, number: int, line: str, width: int, height: int, classes: Sequence[str]) -> Box:
    words = line.split()
    try:
        label, (x, y, w, h) = int(words[0]), map(float, words[1:])
        if not (0 <= label < len(classes) and 0 < w <= 1 and 0 < h <= 1):
            raise ValueError
    except ValueError as error:
        raise ValueError(
            f"line {number} of '{path}' must be a class from 0 to {len(classes) - 1} and x, y, width, height from 0 "
            f"to 1, got '{line.strip()}': correct it (outlines of segmentation sets are not read)"
        ) from error
    corners = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
    return Box(classes[label], corners)
