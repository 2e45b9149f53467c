"""Run a function on several gloo processes of this machine."""

import os
import socket
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from warm import context


def _worker(rank: int, function: Callable, world_size: int, port: int, args: tuple) -> None:
    os.environ.update(
        MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE=str(world_size), LOCAL_RANK=str(rank)
    )
    torch.set_num_threads(1)
    dist.init_process_group('gloo', rank=rank, world_size=world_size)
    try:
        function(rank, *args)
    finally:
        dist.destroy_process_group()


def run(function: Callable, *args: Any, world_size: int = 2) -> None:
    """Call ``function(rank, *args)`` in ``world_size`` processes; an error in one is raised here."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    context()
    mp.start_processes(_worker, (function, world_size, port, args), nprocs=world_size, start_method='forkserver')
