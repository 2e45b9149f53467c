"""The config of a new pair as text: the lines around its distiller, and its teacher."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from topkd.command.config_files import named_from, stem


def pair_text(
    args: argparse.Namespace,
    file: str,
    before: Sequence[str],
    teacher: Mapping[str, Any],
    network: str = '_base_.model',
    after: Sequence[str] = (),
) -> str:
    """Write the config of a pair around its distiller.

    Args:
        args (argparse.Namespace): Of ``topkd new-pair``; ``out``, ``checkpoint`` and ``batch_size`` are set.
        file (str): Of ``configs/_base_/losses``, without its ending.
        before (Sequence[str]): Lines before the model, which define ``losses``.
        teacher (Mapping): Arguments of the teacher.
        network (str): The student's model as an expression.
        after (Sequence[str]): Lines behind the model.
    """
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


def teacher_arguments(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of the teacher; one that brings its weights needs no checkpoint."""
    teacher = dict(name=stem(args.teacher), config=named_from(args.teacher, Path.cwd()))
    return teacher if args.checkpoint is None else dict(teacher, checkpoint=args.checkpoint)
