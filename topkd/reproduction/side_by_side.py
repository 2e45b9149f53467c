"""Run trainings side by side in a few processes of this machine."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner


def side_by_side(function: Callable, calls: Sequence[tuple], jobs: int) -> Iterator[tuple[int, Any]]:
    """Call a function with several arguments in a few processes, and yield (number of the call, result) as they end.

    Every process computes with one thread. An error in one of them is raised here, after the others' ends.

    Args:
        function (Callable): At the top of a module, so that another process finds it.
        calls (Sequence[tuple]): Its positional arguments, plain values.
        jobs (int): Processes; 1 calls the function here.

    Example:
        >>> sorted(side_by_side(max, [(1, 2), (5, 3)], jobs=1))
        [(0, 2), (1, 5)]
    """
    if jobs == 1 or len(calls) < 2:
        for number, call in enumerate(calls):
            yield number, function(*call)
        return
    with ProcessPoolExecutor(jobs, get_context('spawn'), initializer=_start) as pool:
        futures = {pool.submit(function, *call): number for number, call in enumerate(calls)}
        for future in as_completed(futures):
            yield futures[future], future.result()


def train(content: dict) -> dict[str, Any]:
    """Train a config, unless its folder holds the results of all its epochs.

    Args:
        content (dict): The config.

    Returns:
        dict: Content of ``results.json``.
    """
    cfg = Config(content)
    path = Path(cfg.work_dir, 'results.json')
    if not path.is_file() or _epochs(json.loads(path.read_text())) < cfg.train_cfg.max_epochs:
        init_default_scope(cfg.get('default_scope', 'mmengine'))
        Runner.from_cfg(cfg).train()
    return json.loads(path.read_text())


def train_ripsnet(content: dict, operator: str) -> dict[str, Any]:
    """Train the RipsNet of a distillation config with one operator; see :class:`topkd.runners.RipsNetRunner`.

    Args:
        content (dict): The config.
        operator (str): 'mean' or 'sum'.
    """
    from topkd.runners import RipsNetRunner

    cfg = Config(content)
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    return RipsNetRunner.from_cfg(cfg).train_operator(operator)


def _epochs(results: dict[str, Any]) -> int:
    """Return after how many epochs the last validation was, of a cohort that of the member that is behind."""
    members = results.get('members', {'': results})
    return min(member['last']['epoch'] for member in members.values())


def _start() -> None:
    import topkd  # noqa: F401  mmcv's ops, before mmdet asks for them

    torch.set_num_threads(1)
    # MMEngine switches the start method for data loaders, which have no workers here
    warnings.filterwarnings('ignore', message='Multi-processing start method')
    logging.getLogger('mmengine').setLevel(logging.ERROR)
