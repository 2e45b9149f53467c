"""The config of a new pair of classifiers."""

import argparse

from mmengine.config import Config

from topkd.command.config_files import SPLITS, data_roots, nested
from topkd.command.pair_losses import losses_of
from topkd.command.pair_taps import PairTaps
from topkd.command.pair_text import pair_text, teacher_arguments
from topkd.utils.config import read_config

BATCH_SIZE = 64
HOOKS = ('TeacherEvaluationHook', 'StudentCheckpointHook', 'ResultHook')


def classifier_pair(args: argparse.Namespace, student: Config) -> str:
    """Write the config of a pair.

    Args:
        args (argparse.Namespace): Of ``topkd new-pair``; ``out`` and ``checkpoint`` are set.
        student (Config): The student's own config.

    Returns:
        str: A text config.
    """
    pair = PairTaps(student, read_config(args.teacher))
    file, losses = losses_of(args.loss, pair)
    teacher, size = teacher_arguments(args), pair.input_size()
    if size is not None:
        teacher['input_size'] = size
    loaders = [
        _loader(split, data_roots(student[f'{split}_dataloader']) if args.data else [], args.data)
        for split in SPLITS
        if student.get(f'{split}_dataloader') is not None
    ]
    hooks = ['custom_hooks = [', *(f"    dict(type='topkd.{name}')," for name in HOOKS), ']']
    return pair_text(args, file, losses, teacher, after=[*filter(None, loaders), *hooks])


def _loader(split: str, roots: list[tuple[str, ...]], data: str | None) -> str:
    """Write the line that moves the data sets of a loader, and gives the training loader its batches."""
    words = ['batch_size=batch_size', 'drop_last=True'] if split == 'train' else []
    words += [nested(path, f'data_root={data!r}') for path in roots]
    return f'{split}_dataloader = dict({", ".join(words)})' if words else ''
