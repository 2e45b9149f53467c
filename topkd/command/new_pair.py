"""``topkd new-pair``: write the config of a teacher-student pair, and try it on a blank image."""

import argparse
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import MODELS, init_default_scope

from topkd.cli import Parser, config_path, count, keep_inputs, tool
from topkd.command.coco_folder import coco_folder
from topkd.command.detector_config import (
    BATCH_SIZE,
    batch_words,
    class_changes,
    class_paths,
    data_lines,
    hook_lines,
    is_detector,
    loss_lines,
)
from topkd.command.pair_taps import PairTaps
from topkd.launch import setup_processes
from topkd.models.losses.topology_configs import artifacts_to_make, topology_configs
from topkd.models.taps.detector_taps import detector_taps
from topkd.models.teacher import brings_weights, teacher_config
from topkd.utils.config import read_config, with_preprocessor, without_weights

LOSSES = Path(__file__).resolve().parent.parent / '.mim' / 'configs' / '_base_' / 'losses'
HOOKS = ('TeacherEvaluationHook', 'StudentCheckpointHook', 'ResultHook')
DETECTOR_HOOKS = ('CategoryCheckHook', 'StudentCheckpointHook')
SPLITS = ('train', 'val', 'test')
CLASSIFIER_BATCH_SIZE = 64
OF_DETECTORS = ('_detection', '_dense')  # how files of losses end


def arguments() -> argparse.Namespace:
    """Read the command line."""
    result = Parser(description=__doc__)
    result.add_argument('student', help="the student's own config: a file, or package::file")
    result.add_argument('teacher', help="the teacher's config: a file, or package::file")
    result.add_argument(
        '--checkpoint',
        help="the teacher's weights: a file or a URL (default: those that the network brings, such as timm's with "
        'pretrained=True, otherwise checkpoints/<teacher>.pth)',
    )
    result.add_argument(
        '--loss',
        default='exact',
        help='exact (the default: KD and exact topology, nothing to prepare), topkd (with RipsNet, as in the paper), '
        'kd, or another file of configs/_base_/losses without its ending (of detectors without _detection or _dense)',
    )
    result.add_argument('--data', help="folder of the data, in place of the student config's")
    result.add_argument(
        '--batch-size',
        type=count,
        help=f'images of a batch (default: {CLASSIFIER_BATCH_SIZE}, of detectors {BATCH_SIZE})',
    )
    result.add_argument('--out', type=config_path, help='file to write (default: <teacher>-<student>.py here)')
    result.add_argument('--force', action='store_true', help='write over a file that is there')
    return result.parse_args()


def stem(config: str) -> str:
    """Return the name of a config, ``resnet18_8xb16_cifar10`` of ``mmpretrain::resnet/resnet18_8xb16_cifar10.py``.

    Example:
        >>> stem('mmpretrain::resnet/resnet18_8xb16_cifar10.py')
        'resnet18_8xb16_cifar10'
    """
    return Path(config.rsplit('::', 1)[-1]).stem


def data_roots(node: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """List the paths of all ``data_root`` entries below a node of a config, without that last word.

    Example:
        >>> data_roots(dict(dataset=dict(type='Repeat', dataset=dict(data_root='data/'))))
        [('dataset', 'dataset')]
    """
    if not isinstance(node, dict):
        return []
    own = [path] if 'data_root' in node else []
    return own + [found for key, value in node.items() for found in data_roots(value, (*path, key))]


def losses_of(name: str, pair: PairTaps) -> tuple[str, list[str]]:
    """Return the base file of a loss by its name, and the lines that put it together.

    Args:
        name (str): 'exact', 'topkd', 'kd', or a file of ``configs/_base_/losses`` without its ending.
        pair (PairTaps): Tells the taps of networks that do not have the usual ones.

    Raises:
        ValueError: If there is no such file, or it is of detectors.
    """
    file = 'topkd' if name in ('exact', 'topkd') else name
    _check_file(name, file)
    if file.endswith(OF_DETECTORS):
        raise ValueError(f"the loss '{name}' is of detectors, these are classifiers: name exact, or a method alone")
    known = Config.fromfile(LOSSES / f'{file}.py')
    if file != 'topkd':
        words = pair.words(known[file])
        return file, [f'losses = dict({file}={f"dict(_base_.{file}{words})" if words else f"_base_.{file}"})']
    return file, _topkd_lines(known, pair, exact=name == 'exact')


def _topkd_lines(known: Config, pair: PairTaps, exact: bool) -> list[str]:
    switch = ", vectorizer=dict(type='RipsImage')" if exact else ''
    cloud = "cloud=dict(type='BatchCloud', num_points=batch_size)"
    kd, topology = (pair.words(known.losses[loss]) for loss in ('kd', 'topology'))
    return [
        'topology = dict(',
        f'    _base_.losses.topology, {cloud}{switch}{topology}',
        ')',
        f'losses = dict(kd={f"dict(_base_.losses.kd{kd})" if kd else "_base_.losses.kd"}, topology=topology)',
    ]


def _check_file(name: str, file: str) -> None:
    """Refuse a loss that has no file."""
    if not (LOSSES / f'{file}.py').is_file():
        known = sorted(path.stem for path in LOSSES.glob('*.py'))
        raise ValueError(f"there is no loss '{name}': name exact, or one of {', '.join(known)}")


def text(args: argparse.Namespace, student: Config) -> str:
    """Write the config of a pair.

    Args:
        args (argparse.Namespace): See :func:`arguments`; ``out`` and ``checkpoint`` are set.
        student (Config): The student's own config.

    Returns:
        str: A text config.
    """
    pair = PairTaps(student, read_config(args.teacher))
    file, losses = losses_of(args.loss, pair)
    teacher, size = _teacher(args), pair.input_size()
    if size is not None:
        teacher['input_size'] = size
    loaders = [
        _loader(split, data_roots(student[f'{split}_dataloader']) if args.data else [], args.data)
        for split in SPLITS
        if student.get(f'{split}_dataloader') is not None
    ]
    hooks = ['custom_hooks = [', *(f"    dict(type='topkd.{name}')," for name in HOOKS), ']']
    return _config_text(args, file, losses, teacher, after=[*filter(None, loaders), *hooks])


def detector_text(args: argparse.Namespace, student: Config) -> str:
    """Write the config of a pair of detectors.

    Args:
        args (argparse.Namespace): See :func:`arguments`; ``out`` and ``checkpoint`` are set.
        student (Config): The student's own config.

    Returns:
        str: A text config.
    """
    init_default_scope(student.get('default_scope', 'mmdet'))
    taps = detector_taps(MODELS.build(with_preprocessor(student.model, student)))
    file, losses = loss_lines(args.loss, taps)
    _check_file(args.loss, file)
    teacher = _teacher(args)
    data, network = [f'train_dataloader = dict({", ".join(batch_words(student.train_dataloader))})'], '_base_.model'
    if args.data:
        folder = coco_folder(args.data)
        roots = {split: data_roots(student[f'{split}_dataloader']) for split in SPLITS}
        data = data_lines(student, folder, roots)
        network = f'dict(_base_.model, {class_changes(student.model, network)})'
        own = {
            '.'.join(['model', *path, 'num_classes']): len(folder.classes) for path in class_paths(_model(args.teacher))
        }
        teacher['cfg_options'] = own
    hooks = hook_lines(student, DETECTOR_HOOKS)
    return _config_text(args, file, [*data, *losses], teacher, network, hooks)


def _config_text(
    args: argparse.Namespace,
    file: str,
    before: Sequence[str],
    teacher: Mapping[str, Any],
    network: str = '_base_.model',
    after: Sequence[str] = (),
) -> str:
    """Write the config of a pair around its distiller: what stands before the model, the model, what stands after."""
    lines = [
        f'_base_ = {[named_from(args.student, args.out.resolve().parent), f"topkd::_base_/losses/{file}.py"]}',
        '',
        f'batch_size = {args.batch_size}',
        *before,
        'model = dict(',
        '    _delete_=True,',
        "    type='topkd.Distiller',",
        f'    student={network},',
        '    losses=losses,',
        '    teacher=dict(',
        *(f'        {key}={value!r},' for key, value in teacher.items()),
        '    ),',
        ')',
        *after,
        '',
    ]
    return '\n'.join(lines)


def _teacher(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of the teacher; one that brings its weights needs no checkpoint."""
    teacher = dict(name=stem(args.teacher), config=named_from(args.teacher, Path.cwd()))
    return teacher if args.checkpoint is None else dict(teacher, checkpoint=args.checkpoint)


def _are_detectors(args: argparse.Namespace, student: Config) -> bool:
    """Tell whether a pair is of detectors, and refuse what is no pair of two plain networks of one kind."""
    models = {args.student: student.model, args.teacher: _model(args.teacher)}
    for config, model in models.items():
        if any(entry in model for entry in ('student', 'members', 'featurizer')):
            raise ValueError(
                f"'{config}' is no plain network's config, got {model.type}: name the config that it wraps"
            )
    kinds = {is_detector(model) for model in models.values()}
    if len(kinds) > 1:
        words = {True: 'a detector', False: 'a classifier'}
        said = ' and '.join(f'{words[is_detector(one)]} ({name})' for name, one in models.items())
        raise ValueError(f'student and teacher must be two classifiers or two detectors, got {said}: name another one')
    if args.data and not any(data_roots(student.get(f'{split}_dataloader')) for split in SPLITS):
        raise ValueError(f"--data has no effect, as no data set of '{args.student}' reads a folder: leave it out")
    return kinds == {True}


def _model(config: str) -> dict:
    return read_config(config).model


def named_from(config: str, folder: Path) -> str:
    """Name a config so that another one in ``folder`` finds it."""
    return config if '::' in config else os.path.relpath(config, folder)


def _loader(split: str, roots: list[tuple[str, ...]], data: str | None) -> str:
    """Write the line that moves the data sets of a loader, and gives the training loader its batches."""
    words = ['batch_size=batch_size', 'drop_last=True'] if split == 'train' else []
    for path in roots:
        nested = f'data_root={data!r}'
        for key in reversed(path):
            nested = f'{key}=dict({nested})'
        words.append(nested)
    return f'{split}_dataloader = dict({", ".join(words)})' if words else ''


@contextmanager
def written_file(out: Path, written: str, force: bool) -> Iterator[Path]:
    """Write a config beside its destination, and put it in place if the ``with`` block finds that it works.

    Args:
        out (Path): Destination.
        written (str): The config.
        force (bool): Whether a file that is there is written over.

    Raises:
        ValueError: If there is a file.
    """
    if out.exists() and not force:
        raise ValueError(f"'{out}' exists: name another file by --out, or write over it with --force")
    out.parent.mkdir(parents=True, exist_ok=True)
    candidate = out.with_name(f'{out.stem}_candidate.py')
    try:
        candidate.write_text(written, encoding='utf-8')
        yield candidate
        candidate.replace(out)
    finally:
        candidate.unlink(missing_ok=True)


@tool
def new_pair() -> None:
    """Write a pair's config, build both networks from it, and say what comes next."""
    args = arguments()
    args.out = args.out or Path(f'{stem(args.teacher)}-{stem(args.student)}.py')
    keep_inputs(args.out, args.student, args.teacher)
    student = read_config(args.student)
    if args.checkpoint is None and not brings_weights(_model(args.teacher)):
        args.checkpoint = f'checkpoints/{stem(args.teacher)}.pth'
    of_detectors = _are_detectors(args, student)
    args.batch_size = args.batch_size or (BATCH_SIZE if of_detectors else CLASSIFIER_BATCH_SIZE)
    written = (detector_text if of_detectors else text)(args, student)
    with written_file(args.out, written, args.force) as candidate:
        found = tried(candidate)
    print('\n'.join([written, f'written to {args.out}', *found, '', 'next:', *next_commands(args)]))


def tried(path: Path) -> list[str]:
    """Build a pair from its config with a random teacher, and say what its losses read of a blank image.

    Args:
        path (Path): The written config.

    Returns:
        list[str]: One line for each loss.

    Raises:
        ValueError: If the two networks cannot be compared; the message is the loss's.
    """
    cfg = read_config(str(path))
    cfg.launcher = 'none'
    setup_processes(cfg)
    model = with_preprocessor(cfg.model, cfg)
    network = without_weights(teacher_config(model['teacher']))
    model['teacher'] = dict(name=cfg.model.teacher.name, model=network, checkpoint=None)
    if 'input_size' in cfg.model.teacher:
        model['teacher']['input_size'] = cfg.model.teacher.input_size
    model['student'] = without_weights(model['student'])
    # RipsNet is made later, by the commands that are printed
    losses = topology_configs(cfg.model)
    exact = {
        name: dict(losses[name], vectorizer=dict(type='RipsImage'))
        for name in artifacts_to_make(cfg, cfg.model.teacher.name)
    }
    model['losses'] = {**model['losses'], **exact}
    MMLogger.get_instance('new-pair', log_level='ERROR')  # the initialization of every layer is of no interest here
    distiller = MODELS.build(model)
    return [
        f"loss '{name}' compares {loss.student_tap} of the student with {loss.teacher_tap} of the teacher"
        for name, loss in distiller.losses.items()
    ]


def next_commands(args: argparse.Namespace) -> list[str]:
    """List the commands that train the pair, in their order."""
    out = shlex.quote(str(args.out))
    ripsnet = [f'topkd gen-pi {out}', f'topkd train-ripsnet {out}'] if args.loss == 'topkd' else []
    missing = args.checkpoint is not None and '://' not in args.checkpoint and not Path(args.checkpoint).is_file()
    put = [f'put the weights of the teacher at {args.checkpoint}'] if missing else []
    return [*put, *ripsnet, f'topkd train {out}']
