#!/usr/bin/env python3
"""Write a small COCO detection set of handwritten digits on textured backgrounds.

    python tools/make_digit_scenes.py data/digit_scenes --train 400 --val 100

OUT then holds train/*.jpg, val/*.jpg and annotations/instances_{train,val}.json. Every image and box follows from the
options: the same options give the same set.
"""

import argparse
import json
import os
import shutil
from pathlib import Path
from typing import Any

import cv2

from topkd.cli import Parser, tool
from topkd.datasets.digit_scenes import CLASSES, SPLITS, DigitScene, digit_scenes

JPEG_QUALITY = 95
WORDS = '{} exists and is not this set: remove it or name another folder'


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = Parser(description='Write a COCO detection set of handwritten digits.')
    parser.add_argument('out', type=Path, metavar='OUT', help='folder to create')
    parser.add_argument('--train', type=int, default=400, metavar='N', help='training scenes (default: %(default)s)')
    parser.add_argument('--val', type=int, default=100, metavar='N', help='validation scenes (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, metavar='S', help='random seed (default: %(default)s)')
    parser.add_argument(
        '--size',
        type=int,
        default=128,
        metavar='PX',
        help='height and width of a scene in pixels (default: %(default)s)',
    )
    return parser.parse_args()


def annotations_of(scene: DigitScene, image_id: int, first_id: int) -> list[dict[str, Any]]:
    """Describe the digits of a scene in COCO's words.

    Args:
        scene (DigitScene): The scene.
        image_id (int): Its id.
        first_id (int): Id of its first annotation.

    Returns:
        list[dict[str, Any]]: One dict a digit; `bbox` is x, y, width, height in pixels and `area` that of the box, for
        want of outlines.
    """
    annotations = []
    for annotation_id, (box, label) in enumerate(zip(scene.boxes.tolist(), scene.labels.tolist()), first_id):
        x1, y1, x2, y2 = box
        annotations.append(
            dict(
                id=annotation_id,
                image_id=image_id,
                category_id=label + 1,
                bbox=[x1, y1, x2 - x1, y2 - y1],
                area=(x2 - x1) * (y2 - y1),
                iscrowd=0,
            )
        )
    return annotations


def write_split(folder: Path, split: str, info: dict[str, Any]) -> None:
    """Write the images and the json of one split.

    Args:
        folder (Path): Existing folder of the set.
        split (str): 'train' or 'val'.
        info (dict[str, Any]): Options of the set, kept in the json.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    (folder / split).mkdir()
    for image_id, scene in enumerate(digit_scenes(split, info[split], info['seed'], info['size']), 1):
        name = f'{image_id:06d}.jpg'
        bgr = cv2.cvtColor(scene.image, cv2.COLOR_RGB2BGR)
        _, encoded = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        (folder / split / name).write_bytes(encoded.tobytes())
        images.append(dict(id=image_id, file_name=name, width=info['size'], height=info['size']))
        annotations += annotations_of(scene, image_id, len(annotations) + 1)
    categories = [dict(id=digit + 1, name=name, supercategory='digit') for digit, name in enumerate(CLASSES)]
    content = dict(info=info, images=images, annotations=annotations, categories=categories)
    json_path(folder, split).parent.mkdir(exist_ok=True)
    json_path(folder, split).write_text(json.dumps(content))
    print(f'{split}: {len(images)} scenes, {len(annotations)} digits')


def json_path(folder: Path, split: str) -> Path:
    """Name the annotation file of a split."""
    return folder / 'annotations' / f'instances_{split}.json'


def holds(folder: Path, info: dict[str, Any]) -> bool:
    """Say whether a folder already is the set of these options."""
    try:
        return all(json.loads(json_path(folder, split).read_text())['info'] == info for split in SPLITS)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def make_digit_scenes(out: Path, info: dict[str, Any]) -> None:
    """Write the set beside `out` and rename it at the end, so that `out` is complete or not there.

    Args:
        out (Path): Folder to create.
        info (dict[str, Any]): The options `train`, `val` (numbers of scenes), `seed` and `size` (pixels).

    Raises:
        FileExistsError: If `out` is there and not empty.
        ValueError: If a number of scenes, a seed or a size is out of range.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(WORDS.format(out))
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.parent / f'.{out.name}.{os.getpid()}.unfinished'
    unfinished.mkdir()
    try:
        for split in SPLITS:
            write_split(unfinished, split, info)
        try:
            unfinished.rename(out)
        except OSError as error:  # another process was faster
            if not holds(out, info):
                raise FileExistsError(WORDS.format(out)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@tool
def main() -> None:
    """Write the set unless it is there already."""
    args = parse_args()
    out = args.out.resolve()
    info = dict(
        description='handwritten digits on textured backgrounds',
        train=args.train,
        val=args.val,
        seed=args.seed,
        size=args.size,
    )
    if holds(out, info):
        print(f'{out} already holds these scenes')
        return
    make_digit_scenes(out, info)
    print(f'written to {out}')


if __name__ == '__main__':
    main()
