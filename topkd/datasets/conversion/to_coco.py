"""From a folder of Pascal VOC or YOLO to the two jsons of a COCO data set."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from topkd.datasets.coco_file import check_coco_file
from topkd.datasets.conversion.annotated import AnnotatedImage, coco_content, write_coco
from topkd.datasets.conversion.voc import is_voc, voc_images, voc_splits
from topkd.datasets.conversion.yolo import yaml_of, yolo_description, yolo_images
from topkd.utils.checks import number

FORMATS = ('voc', 'yolo')


def recognized_format(root: Path) -> str:
    """Say which format a folder has, 'voc' or 'yolo'.

    Args:
        root (Path): The folder.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it is neither.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder '{root}': name the folder of the data set")
    if is_voc(root):
        return 'voc'
    if yaml_of(root) is not None:
        return 'yolo'
    raise ValueError(
        f"'{root}' must hold Annotations/ and JPEGImages/ (Pascal VOC), or data.yaml, images/ and labels/ (YOLO), got "
        'neither: name the folder above them'
    )


def convert_detection(root: Path, classes: Sequence[str] | None = None, val_share: float = 0.2) -> dict[str, Path]:
    """Write ``annotations/instances_train.json`` and ``instances_val.json`` into a folder of VOC or YOLO.

    No image is copied: the jsons name them relative to the folder, which then is a COCO data set with
    ``data_prefix=dict(img='')``. Images without a split are split by a digest of their names, so that the same image is
    on the same side whenever more images are added.

    Args:
        root (Path): The folder.
        classes (Sequence[str], optional): Names in the order of their labels, for VOC. None: all that occur, sorted.
        val_share (float): Share of the images that validate if the folder has no splits. Defaults to 0.2.

    Returns:
        dict[str, Path]: The json of each split.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the folder is neither of VOC nor of YOLO, or a file says something else than its
            format, or a class has no name or is given twice.
    """
    root = root.resolve()
    number('val_share', val_share, above=0, below=1)
    _check_classes(classes or ())
    images, names = _yolo(root, classes) if recognized_format(root) == 'yolo' else _voc(root, classes, val_share)
    written = {}
    _check_classes(names)
    for split, of_split in images.items():
        if not of_split:
            raise ValueError(f"the split '{split}' of '{root}' has no images: add some, or choose another --val-share")
    # everything is read before anything is written
    contents = {split: coco_content(of_split, names, root) for split, of_split in images.items()}
    for split, content in contents.items():
        if not content['annotations']:
            raise ValueError(
                f"there is no object in any image of the split '{split}' of '{root}': put the labels of its images "
                'where the format has them'
            )
    for split, content in contents.items():
        written[split] = root / 'annotations' / f'instances_{split}.json'
        write_coco(content, written[split])
        check_coco_file(str(written[split]), names)
    return written


def _check_classes(names: Sequence[str]) -> None:
    if not all(name.strip() for name in names) or len(set(names)) < len(names):
        raise ValueError(f"the classes must be names, none of them empty and each once, got '{','.join(names)}'")


def _yolo(root: Path, classes: Sequence[str] | None) -> tuple[dict[str, list[AnnotatedImage]], list[str]]:
    names, splits = yolo_description(root)
    if classes is not None and list(classes) != names:
        raise ValueError(
            f"the classes of YOLO's data.yaml are {', '.join(names)}, got {', '.join(classes)}: leave --classes out"
        )
    return {split: yolo_images(files, names) for split, files in splits.items()}, names


def _voc(
    root: Path, classes: Sequence[str] | None, val_share: float
) -> tuple[dict[str, list[AnnotatedImage]], list[str]]:
    splits = voc_splits(root)
    if 'all' in splits:
        files = splits['all']
        chosen = {path for path in files if _place(path.stem) < val_share}
        splits = dict(
            train=[path for path in files if path not in chosen], val=[path for path in files if path in chosen]
        )
    images = {split: voc_images(root, files) for split, files in splits.items()}
    found = sorted({box.name for of_split in images.values() for image in of_split for box in image.boxes})
    if not found:
        raise ValueError(f"there is no object in any image of '{root}': a detector has nothing to learn")
    return images, list(classes or found)


def _place(name: str) -> float:
    """Return a number from 0 to 1 that follows from a name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'big') / 2**64
