"""What the two tools share that make an artifact: gen_pi.py its clouds, train_ripsnet.py its network."""

import argparse
from typing import Any

from topkd.cli import load_config, parser
from topkd.launch import setup_processes
from topkd.preflight import Task, check_run
from topkd.registry import RUNNERS


def artifact_parser(description: str) -> argparse.ArgumentParser:
    """Return :func:`parser` with what the tools take that make a part of a loss's artifact."""
    result = parser(description)
    result.add_argument('--loss', default='topology', help='name of the topology loss in model.losses')
    return result


def artifact_runner(args: argparse.Namespace, name: str, task: Task) -> Any:
    """Build the runner that makes a part of a loss's artifact.

    Args:
        args (argparse.Namespace): Of :func:`artifact_parser`.
        name (str): Of the runner in the registry.
        task (Task): Whose needs are looked for first, see :func:`topkd.preflight.check_run`.
    """
    cfg = load_config(args)
    check_run(cfg, task, args.loss)
    setup_processes(cfg)
    return RUNNERS.get(name).from_cfg(cfg, args.loss)
