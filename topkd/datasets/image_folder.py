"""ImageNet-style folders: one folder a split, in it one folder a class."""

import logging
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmpretrain.datasets import CustomDataset

from topkd.datasets.files_on_disk import FilesOnDisk
from topkd.registry import DATASETS

DEFAULT_ROOT = 'data/imagenet'


@DATASETS.register_module()
class ImageFolder(CustomDataset, FilesOnDisk):
    """List the images of ``data_root/<split>/<class>/`` for mmpretrain's pipelines.

    The classes are the folders in alphabetical order, as torchvision numbers them, so ImageNet's labels are those of
    its pretrained networks. mmpretrain's own class looks at one split at a time, and numbers the classes of a split
    that lacks some of them differently in silence; here a split must have the class folders of ``train``.

    Args:
        data_root (str | Path, optional): Folder of the splits; None stands for ``data/imagenet``.
        split (str): Folder of one split. Defaults to 'train'.
        num_classes (int, optional): Outputs of the classifier: more class folders are an error, fewer a line in the
            log. None for no check. Defaults to None.
        **kwargs (Any): Arguments of :class:`mmpretrain.datasets.CustomDataset`: pipeline, indices and so on.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If the folder holds no images, too many classes, or not those of ``train``.
    """

    def __init__(
        self, data_root: str | Path | None = None, split: str = 'train', num_classes: int | None = None, **kwargs: Any
    ) -> None:
        root = Path(data_root or DEFAULT_ROOT).expanduser()
        classes = class_folders(root / split)
        train = class_folders(root / 'train') if (root / 'train').is_dir() else classes
        if classes != train:
            missing, more = sorted(set(train) - set(classes)), sorted(set(classes) - set(train))
            raise ValueError(
                f"'{root / split}' must hold the class folders of 'train'; missing: {_some(missing)}; unknown: "
                f'{_some(more)}: make the folders alike, an empty one stands for a class without images'
            )
        _compare(root / split, len(classes), num_classes)
        try:
            super().__init__(data_root=str(root), data_prefix=split, **kwargs)
        except RuntimeError as error:
            # mmpretrain's word for a folder without images
            raise ValueError(
                f"'{root / split}' holds no images: put them into its {len(classes)} class folders"
            ) from error

    @classmethod
    def check_files(cls, **arguments: Any) -> None:
        """Look for the class folders; see :meth:`FilesOnDisk.check_files`."""
        class_folders(Path(arguments.get('data_root') or DEFAULT_ROOT).expanduser() / arguments.get('split', 'train'))


def class_folders(folder: Path) -> list[str]:
    """List the class folders of a split in the order of their numbers.

    Args:
        folder (Path): Folder of the split.

    Returns:
        list[str]: Names, sorted.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If it holds no folders.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"image folder '{folder}' does not exist: set data_root to the folder of train/<class>/ and val/<class>/"
        )
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    if not classes:
        raise ValueError(
            f"'{folder}' must hold one folder a class, got {sum(1 for _ in folder.iterdir())} entries that are no "
            'folders: sort the images into class folders'
        )
    return classes


def _compare(folder: Path, found: int, num_classes: int | None) -> None:
    """Compare the number of class folders with the outputs of the classifier."""
    if num_classes is None or found == num_classes:
        return
    if found > num_classes:
        raise ValueError(
            f"'{folder}' holds {found} class folders, the classifier has {num_classes} outputs: set num_classes in "
            'configs/_base_/datasets/imagenet.py, which all heads follow'
        )
    print_log(
        f"'{folder}' holds {found} class folders, the classifier has {num_classes} outputs: those above are never "
        'trained',
        'current',
        logging.WARNING,
    )


def _some(names: list[str]) -> str:
    return f'{", ".join(names[:4])}{", ..." if len(names) > 4 else ""}' or 'none'
