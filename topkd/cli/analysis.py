"""What the analyses of trained students share: their arguments, where they write, and how they were called."""

import argparse
import os
import os.path as osp
import shlex
import sys
from typing import Any

from mmengine.config import Config

from topkd.cli.numbers import count
from topkd.cli.parsers import parser


def analysis_parser(description: str) -> argparse.ArgumentParser:
    """Return :func:`parser` with what every analysis of trained students takes: checkpoints, images, output folder."""
    result = parser(description, distributed=False)
    result.add_argument(
        'checkpoints',
        nargs='+',
        metavar='NAME=CHECKPOINT',
        help='trained students, of this config or of any other of the same student (plain, KD), each with '
        'a name for tables and figures; without NAME= the file is the name',
    )
    result.add_argument(
        '--loss', default='topology', help='name of the topology loss in model.losses (default: %(default)s)'
    )
    result.add_argument(
        '--split',
        choices=['train', 'test'],
        default='test',
        help='whose images, without augmentation (default: %(default)s)',
    )
    result.add_argument('--batches', type=count, help='stop after so many batches; default: all')
    result.add_argument('--out', help='folder for tables and figures (default: <work dir>/analysis)')
    return result


def analysis_folder(args: argparse.Namespace, cfg: Config) -> str:
    """Make and return the folder that an analysis writes to."""
    folder = args.out or osp.join(cfg.work_dir, 'analysis')
    os.makedirs(folder, exist_ok=True)
    return folder


def origin(args: argparse.Namespace, *names: str, **values: Any) -> dict[str, Any]:
    """Return what an analysis writes beside its findings, so that it can be repeated: its command and arguments.

    Args:
        args (argparse.Namespace): Of the tool.
        names (str): Arguments to write as they are.
        values (Any): What is written besides.
    """
    return dict(command=shlex.join(sys.argv), **{name: getattr(args, name) for name in names}, **values)
