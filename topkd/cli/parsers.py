"""The arguments that the tools share: config, work directory, options and launcher."""

import argparse
from typing import NoReturn

from topkd.cli.options import Options
from topkd.cli.paths import path


class Parser(argparse.ArgumentParser):
    """argparse's, which also says where to look if it does not know a word."""

    def error(self, message: str) -> NoReturn:
        """End the tool with usage, the error and exit code 2."""
        if message.startswith('unrecognized arguments'):
            message += ': correct or leave them out, --help lists what there is'
        elif message.endswith(('argument', 'arguments')):
            message += ', got another number of them: --help says which'
        super().error(message)


def parser(description: str, distributed: bool = True) -> argparse.ArgumentParser:
    """Return a parser with CONFIG, --work-dir, --cfg-options and, for tools of several processes, --launcher."""
    result = Parser(description=description)
    result.add_argument('config', help='config file, or package::file of an installed package')
    result.add_argument(
        '--work-dir', type=path, help='folder for logs and checkpoints; default: work_dirs/<name of the config>'
    )
    result.add_argument(
        '--cfg-options',
        nargs='+',
        action=Options,
        default=None,
        help='entries to override, for example data_root=data/cifar100 train_cfg.max_epochs=10',
    )
    result.set_defaults(launcher='none', local_rank=0)
    if distributed:
        result.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], help='job launcher')
        result.add_argument('--local_rank', '--local-rank', type=int, help=argparse.SUPPRESS)
    return result
