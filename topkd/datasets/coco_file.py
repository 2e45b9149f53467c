"""The json of a COCO data set, checked before a detector learns from it."""

import json
import logging
import math
import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from numbers import Real
from typing import Any

from mmengine.logging import print_log

from topkd.utils.files import check_file

REMEDY = 'correct the json, or replace it by the original'
WHERE = 'put the data set there, or set data_root to where it is'


def check_coco_file(path: str, classes: Sequence[str] | None = None) -> None:
    """Refuse a json that mmdet would read wrongly, or not at all.

    mmdet leaves out boxes without an area and images that are not listed, and numbers the classes anew if one is not
    listed; none of it is said. Boxes without an area stand in COCO's own files: a warning tells how many there are.

    Args:
        path (str): The file.
        classes (Sequence[str], optional): Names that the detector learns; None for no comparison.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no COCO json, lacks a class, or has boxes that belong to nothing; the message names the
            first of them.
    """
    check_file(path, 'annotation file', WHERE)
    state = os.stat(path)
    _check(path, None if classes is None else tuple(classes), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=8)
def _check(path: str, classes: tuple[str, ...] | None, size: int, modified: int) -> None:
    """Check a file once, however many readers it has; arguments tell whether it has changed."""
    content = _read(path)
    _check_images(path, content['images'])
    listed = _check_categories(path, content['categories'], classes)
    images = {image['id'] for image in content['images']}
    _numbers(path, content['annotations'], 'annotations', ('id', 'image_id', 'category_id', 'bbox', 'area'))
    if not content['annotations']:
        raise ValueError(f"'{path}' lists no annotations, a detector needs boxes: {REMEDY}")
    unknown = {annotation['category_id'] for annotation in content['annotations']} - listed
    if unknown:
        raise ValueError(
            f"'{path}' annotates boxes of the categories {sorted(unknown)}, which it does not list under "
            "'categories': add them there, or remove those boxes"
        )
    for annotation in content['annotations']:
        _check_box(path, annotation, images)
    _tell_unseen(path, content)


def _read(path: str) -> dict[str, list[dict[str, Any]]]:
    try:
        with open(path, encoding='utf-8') as file:
            content = json.load(file)
    except ValueError as error:
        raise ValueError(f"'{path}' is no json ({error}): {REMEDY}") from error
    for part in ('images', 'annotations', 'categories'):
        entries = content.get(part) if isinstance(content, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            got = 'no such entry' if entries is None else 'something else'
            raise ValueError(f"'{path}' must hold a list of dicts under '{part}', got {got}: {REMEDY}")
    return content


def _check_categories(path: str, categories: list[Any], classes: tuple[str, ...] | None) -> set[Any]:
    """Refuse categories that lack a class of the data set, and return their numbers."""
    listed = _numbers(path, categories, 'categories', ('id', 'name'))
    names = {category['name'] for category in categories}
    missing = [name for name in classes or () if name not in names]
    if missing:
        raise ValueError(
            f"'{path}' must list every class of the data set, it lacks {', '.join(missing)}: correct the json, "
            'or metainfo.classes of the data set'
        )
    return listed


def _numbers(path: str, entries: list[dict], part: str, needed: Iterable[str]) -> set[Any]:
    """Check that all entries of a part hold what is needed, and return their numbers."""
    for position, entry in enumerate(entries):
        absent = [key for key in needed if key not in entry]
        if absent:
            raise ValueError(f"entry {position} of '{part}' in '{path}' lacks {', '.join(absent)}: {REMEDY}")
    found = [entry['id'] for entry in entries]
    if not all(isinstance(number, (int, str)) for number in found) or len(set(found)) < len(found):
        raise ValueError(f"the ids of '{part}' in '{path}' must be whole numbers, each once: {REMEDY}")
    return set(found)


def _check_images(path: str, images: list[dict]) -> None:
    if not images:
        raise ValueError(f"'{path}' lists no images: {REMEDY}")
    _numbers(path, images, 'images', ('id', 'file_name', 'width', 'height'))
    for image in images:
        sides = image['width'], image['height']
        if not all(_is_finite(side) and side >= 1 for side in sides) or not isinstance(image['file_name'], str):
            raise ValueError(
                f"image {image['id']} in '{path}' must have a file name and a width and height of 1 or more, got "
                f'{image["file_name"]!r}, {sides[0]!r} and {sides[1]!r}: {REMEDY}'
            )


def _check_box(path: str, annotation: dict[str, Any], images: set[Any]) -> None:
    box, number = annotation['bbox'], annotation['id']
    numbers = isinstance(box, list) and len(box) == 4 and all(_is_finite(value) for value in box)
    if not numbers or box[2] < 0 or box[3] < 0:
        raise ValueError(
            f"annotation {number} in '{path}' must have a bbox of four finite numbers (x, y, width, height), none of "
            f'the last two negative, got {box}: {REMEDY}'
        )
    if not _is_finite(annotation['area']):
        raise ValueError(
            f"annotation {number} in '{path}' must have a finite number as area, got {annotation['area']!r}: {REMEDY}"
        )
    if not isinstance(annotation['image_id'], (int, str)) or annotation['image_id'] not in images:
        raise ValueError(
            f"annotation {number} in '{path}' belongs to image {annotation['image_id']!r}, which is not listed under "
            f"'images': add the image, or remove the annotation"
        )


def _tell_unseen(path: str, content: dict[str, list[dict[str, Any]]]) -> None:
    """Warn of boxes that mmdet does not hand to a detector; refuse a file that has no others."""
    sides = {image['id']: (image['width'], image['height']) for image in content['images']}
    unseen = [
        annotation['id']
        for annotation in content['annotations']
        if not _is_seen(annotation['bbox'], annotation['area'], *sides[annotation['image_id']])
    ]
    if len(unseen) == len(content['annotations']):
        raise ValueError(
            f"'{path}' holds no box that a detector could learn: all have no area, are narrower or lower than a pixel, "
            f'or lie outside of their images: {REMEDY}'
        )
    if unseen:
        print_log(
            f"{len(unseen)} of {len(content['annotations'])} annotations in '{path}' are left out of trainings, the "
            f'first is {unseen[0]!r}: their boxes have no area, are narrower or lower than a pixel, or lie outside of '
            'their images; correct them if they are meant to be learned',
            'current',
            logging.WARNING,
        )


def _is_seen(box: list[float], area: float, width: float, height: float) -> bool:
    """Tell whether mmdet's ``CocoDataset`` keeps a box."""
    left, top, wide, high = box
    inside = min(left + wide, width) > max(left, 0) and min(top + high, height) > max(top, 0)
    return inside and area > 0 and wide >= 1 and high >= 1


def _is_finite(value: Any) -> bool:
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:  # a whole number beyond all floats
        return False
