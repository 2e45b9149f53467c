"""What every format says of an image, and how it becomes a COCO json."""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from topkd.utils.files import write_text

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


class Box(NamedTuple):
    """An annotated object.

    Attributes:
        name (str): Its class.
        corners (tuple[float, float, float, float]): x1, y1, x2, y2 in pixels, x2 and y2 exclusive.
        ignore (bool): Whether a detector is neither trained nor measured on it.
    """

    name: str
    corners: tuple[float, float, float, float]
    ignore: bool = False


class AnnotatedImage(NamedTuple):
    """An image and its objects.

    Attributes:
        path (Path): The image's file.
        width (int): In pixels.
        height (int): In pixels.
        boxes (list[Box]): Its objects.
        source (Path): The file that describes them, for messages.
    """

    path: Path
    width: int
    height: int
    boxes: list[Box]
    source: Path


def coco_content(images: Iterable[AnnotatedImage], classes: Sequence[str], root: Path) -> dict[str, Any]:
    """Describe images as COCO does.

    Objects to be ignored become crowds. Boxes are cut at the image's borders.

    Args:
        images (Iterable[AnnotatedImage]): In the order of their ids.
        classes (Sequence[str]): Names in the order of their labels.
        root (Path): Folder to which the images' names are relative.

    Returns:
        dict[str, Any]: ``images``, ``annotations`` and ``categories``.

    Raises:
        ValueError: If an object has another class or no area inside its image, or an image lies elsewhere.
    """
    content: dict[str, Any] = dict(images=[], annotations=[])
    content['categories'] = [dict(id=number, name=name) for number, name in enumerate(classes, 1)]
    numbers = {name: number for number, name in enumerate(classes, 1)}
    for image_id, image in enumerate(images, 1):
        if not image.path.is_relative_to(root):
            raise ValueError(
                f"'{image.path}' must lie below '{root}', from which detectors are trained: name the folder that holds "
                'both, or correct path in data.yaml'
            )
        name = image.path.relative_to(root).as_posix()
        content['images'].append(dict(id=image_id, file_name=name, width=image.width, height=image.height))
        for box in image.boxes:
            if box.name not in numbers:
                raise ValueError(
                    f"'{image.source}' has an object '{box.name}', which is not among the classes "
                    f'{", ".join(classes)}: add it to them, or correct the file'
                )
            entry = dict(id=len(content['annotations']) + 1, image_id=image_id, category_id=numbers[box.name])
            content['annotations'].append(dict(entry, **_extent(box, image)))
    return content


def _extent(box: Box, image: AnnotatedImage) -> dict[str, Any]:
    """Return what COCO says of a box itself."""
    x1, y1, x2, y2 = _inside(box, image)
    return dict(bbox=[x1, y1, x2 - x1, y2 - y1], area=(x2 - x1) * (y2 - y1), iscrowd=int(box.ignore))


def _inside(box: Box, image: AnnotatedImage) -> tuple[float, float, float, float]:
    """Cut a box at the borders of its image."""
    x1, y1, x2, y2 = box.corners
    cut = max(x1, 0.0), max(y1, 0.0), min(x2, float(image.width)), min(y2, float(image.height))
    if not (all(map(math.isfinite, box.corners)) and cut[0] < cut[2] and cut[1] < cut[3]):
        raise ValueError(
            f"'{image.source}' has a box of '{box.name}' without area inside the image of {image.width} x "
            f'{image.height} pixels, got corners {box.corners}: correct the file'
        )
    return cut


def image_of(folder: Path, stem: str, source: Path) -> Path:
    """Find the image of a name without its ending.

    Args:
        folder (Path): Of the images.
        stem (str): The name.
        source (Path): What asks for it, for the message.

    Raises:
        FileNotFoundError: If there is none.
    """
    for suffix in IMAGE_SUFFIXES:
        for path in (folder / f'{stem}{suffix}', folder / f'{stem}{suffix.upper()}'):
            if path.is_file():
                return path
    raise FileNotFoundError(
        f"there is no image '{folder / stem}' ({', '.join(IMAGE_SUFFIXES)}) for '{source}': put it there, or leave "
        'that out'
    )


def write_coco(content: dict[str, Any], path: Path) -> None:
    """Write a COCO json on few lines."""
    write_text(json.dumps(content), path)
