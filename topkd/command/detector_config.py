"""Lines of configs of detectors on own data: data sets, number of classes, losses, hooks."""

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config

from topkd.command.coco_folder import CocoFolder, Split
from topkd.command.config_files import nested
from topkd.command.pair_losses import TOPOLOGY, check_file
from topkd.models.taps.detector_taps import DetectorTaps

BATCH_SIZE = 8
HEADS = ('bbox_head', 'mask_head')
SWITCH = 'YOLOXModeSwitchHook'
MONITOR = 'coco/bbox_mAP'
TERMS = ('exact', 'topkd', 'kd')  # losses that are no file of their own


def is_detector(model: dict) -> bool:
    """Say whether a model's config is that of a detector: whether it has a box head, of one stage or of two."""
    return 'bbox_head' in model or 'roi_head' in model


def class_paths(model: dict) -> list[tuple[str, ...]]:
    """List the paths of all heads that have a number of classes.

    Example:
        >>> class_paths(dict(roi_head=dict(bbox_head=dict(num_classes=80))))
        [('roi_head', 'bbox_head')]
    """
    heads = [('bbox_head',), *(('roi_head', head) for head in HEADS)]
    return [path for path in heads if 'num_classes' in _at(model, path)]


def data_lines(cfg: Config, folder: CocoFolder, roots: dict[str, list[tuple[str, ...]]]) -> list[str]:
    """Write the lines that move a detector's loaders and evaluators to own data.

    Args:
        cfg (Config): The detector's own config.
        folder (CocoFolder): The data.
        roots (dict): Paths of the data sets in each loader, by 'train', 'val' and 'test'.
    """
    lines = [f'classes = {folder.classes!r}', f'data_root = {folder.root!r}']
    for split, paths in roots.items():
        part = folder.train if split == 'train' else folder.val
        words = batch_words(cfg.train_dataloader) if split == 'train' else []
        words += [nested(path, _data_set(part)) for path in paths]
        lines.append(f'{split}_dataloader = dict({", ".join(words)})')
    lines += [
        f"{split}_evaluator = dict(ann_file=data_root + '/{folder.val.annotations}')"
        for split in ('val', 'test')
        if isinstance(cfg.get(f'{split}_evaluator'), dict)
    ]
    return lines


def hook_lines(cfg: Config, names: Sequence[str]) -> list[str]:
    """Write the hooks: the detector's own, YOLOX's switch as one that finds students, and those of this package.

    Args:
        cfg (Config): The detector's own config.
        names (Sequence[str]): Of this package's hooks.
    """
    own: list[dict[str, Any]] = [dict(hook) for hook in cfg.get('custom_hooks') or []]
    own = [dict(hook, type='topkd.YOLOXSwitchHook') if hook['type'] == SWITCH else hook for hook in own]
    own = [hook for hook in own if hook['type'].removeprefix('topkd.') not in (*names, 'ResultHook')]
    own += [dict(type=f'topkd.{name}') for name in names] + [dict(type='topkd.ResultHook', monitor=MONITOR)]
    return ['custom_hooks = [', *(f'    {_call(hook)},' for hook in own), ']']


def loss_lines(name: str, taps: DetectorTaps) -> tuple[str, list[str]]:
    """Return the base file of a loss by its name, and the lines that put it together.

    Args:
        name (str): 'exact', 'topkd', 'kd', or a file of ``configs/_base_/losses`` without its ending.
        taps (DetectorTaps): Of the student.

    Raises:
        ValueError: If there is no such file.
    """
    one_stage = taps.class_logits is not None
    suffix = 'dense' if one_stage else 'detection'
    if name not in TERMS:
        file = name if name.endswith(suffix) else f'{name}_{suffix}'
        check_file(name, file, TERMS)
        loss = file.split('_')[0]
        return file, [f'losses = dict({loss}=_base_.{loss})']
    kd = 'dict(_base_.losses.kd, objectness=True)' if taps.objectness else '_base_.losses.kd'
    if name == 'kd':
        return f'topkd_{suffix}', [f'losses = dict(kd={kd})']
    levels = f'student_tap={list(taps.pyramid)!r}, ' if one_stage else ''
    switch = f', {TOPOLOGY["exact"]}' if name == 'exact' else ''
    return f'topkd_{suffix}', [
        'cloud = dict(_base_.losses.topology.cloud, num_points=batch_size)',
        f'topology = dict(_base_.losses.topology, {levels}cloud=cloud{switch})',
        f'losses = dict(kd={kd}, topology=topology)',
    ]


def class_changes(model: dict, base: str = '') -> str:
    """Write the arguments that give all heads the number of classes of the data.

    Args:
        model (dict): Config of the detector.
        base (str): What the changed dicts are made of, such as '_base_.model'; '' for dicts that are merged.

    Raises:
        ValueError: If no head has one number of classes.

    Example:
        >>> class_changes(dict(bbox_head=dict(num_classes=80)), '_base_.model')
        'bbox_head=dict(_base_.model.bbox_head, num_classes=len(classes))'
    """
    paths = class_paths(model)
    if not paths:
        raise ValueError(
            'a detector on own data needs one head with num_classes, in bbox_head or roi_head.bbox_head, got none or '
            'several (a cascade): write its config by hand'
        )
    source = {path: f'{base}.{".".join(path)}, ' if base else '' for path in [*paths, ('roi_head',)]}
    heads = {path: f'{path[-1]}=dict({source[path]}num_classes=len(classes))' for path in paths}
    of_rois = [text for path, text in heads.items() if len(path) > 1]
    own = [text for path, text in heads.items() if len(path) == 1]
    return ', '.join([*own, *([f'roi_head=dict({source[("roi_head",)]}{", ".join(of_rois)})'] if of_rois else [])])


def _at(node: dict, path: Sequence[str]) -> dict:
    for key in path:
        node = node.get(key) or {}
    return node if isinstance(node, dict) else {}


def batch_words(loader: dict) -> list[str]:
    """Write the arguments that give a loader whole batches of ``batch_size`` images.

    Args:
        loader (dict): Its config.
    """
    # a sampler of batches takes the place of drop_last
    sampler = loader.get('batch_sampler')
    last = 'drop_last=True' if sampler is None else f'batch_sampler={_call(dict(sampler, drop_last=True))}'
    return ['batch_size=batch_size', last]


def _data_set(split: Split) -> str:
    prefix = f'dict(img={split.images!r})'
    return f'data_root=data_root, ann_file={split.annotations!r}, data_prefix={prefix}, metainfo=dict(classes=classes)'


def _call(entry: dict[str, Any]) -> str:
    """Write a dict as a call."""
    return f'dict({", ".join(f"{key}={value!r}" for key, value in entry.items())})'
