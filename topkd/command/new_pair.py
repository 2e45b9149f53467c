"""``topkd new-pair``: write the config of a teacher-student pair, and try it on a blank image."""

import argparse
import os
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import MODELS

from topkd.cli import count, tool
from topkd.launch import setup_processes
from topkd.models.losses.topology_configs import made_artifacts, topology_configs
from topkd.utils.config import read_config, with_preprocessor

LOSSES = Path(__file__).resolve().parent.parent / '.mim' / 'configs' / '_base_' / 'losses'
HOOKS = ('TeacherEvaluationHook', 'StudentCheckpointHook', 'ResultHook')


def arguments() -> argparse.Namespace:
    """Read the command line."""
    result = argparse.ArgumentParser(description=__doc__)
    result.add_argument('student', help="the student's own config: a file, or package::file")
    result.add_argument('teacher', help="the teacher's config: a file, or package::file")
    result.add_argument(
        '--checkpoint', help="the teacher's weights: a file or a URL (default: checkpoints/<teacher>.pth)"
    )
    result.add_argument(
        '--loss',
        default='exact',
        help='exact (the default: KD and exact topology, nothing to prepare), topkd (with RipsNet, as in the paper), '
        'kd, or another file of configs/_base_/losses without its ending',
    )
    result.add_argument('--data', help="folder of the data, in place of the student config's")
    result.add_argument('--batch-size', type=count, default=64, help='images of a batch (default: %(default)s)')
    result.add_argument('--out', type=Path, help='file to write (default: <teacher>-<student>.py here)')
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


def losses_of(name: str) -> tuple[str, list[str]]:
    """Return the base file of a loss by its name, and the lines that put it together.

    Args:
        name (str): 'exact', 'topkd', 'kd', or a file of ``configs/_base_/losses`` without its ending.

    Raises:
        ValueError: If there is no such file.
    """
    file = 'topkd' if name in ('exact', 'topkd') else name
    if not (LOSSES / f'{file}.py').is_file():
        known = sorted(path.stem for path in LOSSES.glob('*.py'))
        raise ValueError(f"there is no loss '{name}': name exact, or one of {', '.join(known)}")
    if file != 'topkd':
        return file, [f'losses = dict({file}=_base_.{file})']
    switch = ", vectorizer=dict(type='RipsImage')" if name == 'exact' else ''
    cloud = "cloud=dict(type='BatchCloud', num_points=batch_size)"
    return file, [
        'topology = dict(',
        f'    _base_.losses.topology, {cloud}{switch}',
        ')',
        'losses = dict(kd=_base_.losses.kd, topology=topology)',
    ]


def text(args: argparse.Namespace, student: Config) -> str:
    """Write the config of a pair.

    Args:
        args (argparse.Namespace): See :func:`arguments`; ``out`` and ``checkpoint`` are set.
        student (Config): The student's own config, for its data sets.

    Returns:
        str: A text config.
    """
    file, losses = losses_of(args.loss)
    base = [_named(args.student, args.out.resolve().parent), f'topkd::_base_/losses/{file}.py']
    teacher = dict(name=stem(args.teacher), config=_named(args.teacher, Path.cwd()), checkpoint=args.checkpoint)
    loaders = [
        _loader(split, data_roots(student[f'{split}_dataloader']) if args.data else [], args.data)
        for split in ('train', 'val', 'test')
        if student.get(f'{split}_dataloader') is not None
    ]
    lines = [
        f'_base_ = {base}',
        '',
        f'batch_size = {args.batch_size}',
        *losses,
        'model = dict(',
        '    _delete_=True,',
        "    type='topkd.Distiller',",
        '    student=_base_.model,',
        '    losses=losses,',
        '    teacher=dict(',
        *(f'        {key}={value!r},' for key, value in teacher.items()),
        '    ),',
        ')',
        *filter(None, loaders),
        'custom_hooks = [',
        *(f"    dict(type='topkd.{name}')," for name in HOOKS),
        ']',
        '',
    ]
    return '\n'.join(lines)


def _named(config: str, folder: Path) -> str:
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


@tool
def new_pair() -> None:
    """Write a pair's config, build both networks from it, and say what comes next."""
    args = arguments()
    args.checkpoint = args.checkpoint or f'checkpoints/{stem(args.teacher)}.pth'
    args.out = args.out or Path(f'{stem(args.teacher)}-{stem(args.student)}.py')
    if args.out.exists() and not args.force:
        raise ValueError(f"'{args.out}' exists: name another file by --out, or write over it with --force")
    student = read_config(args.student)
    read_config(args.teacher)
    written = text(args, student)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    candidate = args.out.with_name(f'{args.out.stem}_candidate.py')  # a pair that does not work replaces no file
    try:
        candidate.write_text(written, encoding='utf-8')
        found = tried(candidate)
        candidate.replace(args.out)
    finally:
        candidate.unlink(missing_ok=True)
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
    model['teacher'] = dict(model['teacher'], checkpoint=None, cfg_options={'model.backbone.init_cfg': None})
    # RipsNet is made later, by the commands that are printed
    losses = topology_configs(cfg.model)
    exact = {
        name: dict(losses[name], vectorizer=dict(type='RipsImage'))
        for name in made_artifacts(cfg, cfg.model.teacher.name)
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
    ripsnet = [f'topkd gen-pi {args.out}', f'topkd train-ripsnet {args.out}'] if args.loss == 'topkd' else []
    missing = '://' not in args.checkpoint and not Path(args.checkpoint).is_file()
    put = [f'put the weights of the teacher at {args.checkpoint}'] if missing else []
    return [*put, *ripsnet, f'topkd train {args.out}']
