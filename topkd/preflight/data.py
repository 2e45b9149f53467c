"""Are the files of the data sets there?"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS

from topkd.datasets.coco_file import WHERE, check_coco_file
from topkd.datasets.files_on_disk import FilesOnDisk
from topkd.preflight.findings import Findings
from topkd.utils.files import check_file


def check_data(cfg: Config, loaders: tuple[str, ...], findings: Findings) -> None:
    """Look for the files of all data sets that a tool will read.

    Args:
        cfg (Config): The run's.
        loaders (tuple[str, ...]): Entries of the data loaders, for example ``('train_dataloader',)``.
        findings (Findings): Told what is missing.
    """
    absent: set[str] = set()
    for name in loaders:
        loader = cfg.get(name)
        for dataset in _datasets(loader.get('dataset') if isinstance(loader, Mapping) else None):
            kind = findings.look(_kind, dataset)
            root = None if kind is None or not issubclass(kind, FilesOnDisk) else dataset.get('data_root')
            if kind is None or (root is not None and root in absent):
                continue  # splits of one folder that is not there are one thing to be mended
            for check in _checks(kind, dataset):
                findings.look(check)
            if root is not None and not os.path.isdir(root):
                absent.add(root)


def _datasets(config: Any) -> Iterator[dict]:
    """Yield the config of a data set, or those inside one that joins, repeats or balances others."""
    if not isinstance(config, Mapping):
        return
    inner = [config.get('dataset'), *(config.get('datasets') or [])]
    found = [dataset for part in inner for dataset in _datasets(part)]
    yield from found or [dict(config)]


def _kind(config: dict[str, Any]) -> type:
    """Return the class that a data set's config names."""
    name = config.get('type')
    with DATASETS.switch_scope_and_registry(config.get('_scope_')) as registry:
        kind = registry.get(name) if isinstance(name, str) else name
    if not isinstance(kind, type):
        raise KeyError(f"the data set {name!r} is unknown: correct the type of the data loader's dataset in the config")
    return kind


def _checks(kind: type, config: dict[str, Any]) -> Iterator[Callable[[], None]]:
    """Yield what has to be looked at for a data set."""
    arguments = {key: value for key, value in config.items() if key not in ('type', '_scope_')}
    if issubclass(kind, FilesOnDisk):
        yield partial(kind.check_files, **arguments)
    if not issubclass(kind, BaseDataset) or issubclass(kind, FilesOnDisk):
        return
    root, annotations = arguments.get('data_root') or '', arguments.get('ann_file') or ''
    if annotations and _is_coco(kind):
        metainfo: Mapping = arguments.get('metainfo') or vars(kind).get('METAINFO', {})
        classes = metainfo.get('classes')
        yield partial(check_coco_file, os.path.join(root, annotations), classes)
    elif annotations:
        yield partial(check_file, os.path.join(root, annotations), 'annotation file', WHERE)
    prefixes = arguments.get('data_prefix') or {}
    for prefix in prefixes.values() if isinstance(prefixes, Mapping) else [prefixes]:
        yield partial(_check_folder, os.path.join(root, prefix))


def _is_coco(kind: type) -> bool:
    detection = sys.modules.get('mmdet.datasets')  # imported, if one of its classes was found
    return detection is not None and issubclass(kind, detection.CocoDataset)


def _check_folder(path: str) -> None:
    if path and not os.path.isdir(path):
        raise FileNotFoundError(f"image folder '{path}' does not exist: {WHERE}")
