"""Pascal VOC: an XML file an image, lists of the images of each split."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from topkd.datasets.conversion.annotated import AnnotatedImage, Box, image_of

XML, IMAGES, LISTS = 'Annotations', 'JPEGImages', 'ImageSets/Main'


def is_voc(root: Path) -> bool:
    """Say whether a folder is laid out as VOC's."""
    return (root / XML).is_dir()


def voc_splits(root: Path) -> dict[str, list[Path]]:
    """Return the XML files of the splits.

    Args:
        root (Path): With ``Annotations/*.xml``, ``JPEGImages/`` and, if there are splits, ``ImageSets/Main/train.txt``
            and ``val.txt``.

    Returns:
        dict[str, list[Path]]: By 'train' and 'val'; by 'all' if the folder has no lists.

    Raises:
        FileNotFoundError: If there is no XML file, or one that a list names is missing.
    """
    lists = {split: root / LISTS / f'{split}.txt' for split in ('train', 'val')}
    present = [path for path in lists.values() if path.is_file()]
    if len(present) == 1:
        raise FileNotFoundError(
            f"'{root / LISTS}' holds {present[0].name} alone of train.txt and val.txt: add the other one, or take it "
            'away, so that the images are split by --val-share'
        )
    if not present:
        found = sorted((root / XML).glob('*.xml'))
        if not found:
            raise FileNotFoundError(f"there are no XML files in '{root / XML}': name the folder that holds {XML}/")
        return dict(all=found)
    result = {}
    for split, path in lists.items():
        names = [line.split()[0] for line in path.read_text(encoding='utf-8-sig').splitlines() if line.strip()]
        result[split] = [root / XML / f'{name}.xml' for name in names]
        missing = [file for file in result[split] if not file.is_file()]
        if missing:
            raise FileNotFoundError(
                f"'{path}' names '{missing[0].stem}', '{missing[0]}' does not exist: correct the list"
            )
    return result


def voc_images(root: Path, files: Sequence[Path]) -> list[AnnotatedImage]:
    """Read XML files.

    VOC counts pixels from 1 and its corners are inside the box: (1, 1, w, h) is the whole image. Difficult objects are
    to be ignored.

    Args:
        root (Path): Of the data.
        files (Sequence[Path]): The XML files.

    Raises:
        ValueError: If a file is no XML of VOC's; the message names it.
    """
    return [_image(root, path) for path in files]


def _image(root: Path, path: Path) -> AnnotatedImage:
    try:
        tree = ElementTree.parse(path).getroot()
        width, height = (int(tree.findtext(f'size/{side}', '')) for side in ('width', 'height'))
        boxes = [_box(node) for node in tree.iter('object')]
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(
            f"'{path}' must be an annotation of Pascal VOC with size and bndbox in numbers, got {error}: correct it, "
            'or leave it out'
        ) from error
    return AnnotatedImage(image_of(root / IMAGES, path.stem, path), width, height, boxes, path)


def _box(node: ElementTree.Element) -> Box:
    x1, y1, x2, y2 = (float(node.findtext(f'bndbox/{corner}', '')) for corner in ('xmin', 'ymin', 'xmax', 'ymax'))
    name, difficult = node.findtext('name', '').strip(), node.findtext('difficult', '0').strip() == '1'
    if not name:
        raise ValueError('an object without a name')
    return Box(name, (x1 - 1, y1 - 1, x2, y2), difficult)
