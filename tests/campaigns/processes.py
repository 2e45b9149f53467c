"""Run tools in forked processes, which start in no time because this process has imported everything already."""

import contextlib
import faulthandler
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..warm import IMPORTS
from .failpoints import Failpoints, Kill

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 180.0  # seconds; a run that takes longer hangs


class Finished(NamedTuple):
    """How a run ended.

    Attributes:
        codes: Exit code of each process, or minus the signal that killed it.
        output: All that they printed.
        points: Changes of files of the first process, if it came to its end.
        hung: Whether it had to be ended from outside.
    """

    codes: tuple[int, ...]
    output: str
    points: list[str]
    hung: bool


def warm_up() -> None:
    """Import what the tools import."""
    import torch

    torch.set_num_threads(1)  # a thread pool would not survive a fork
    sys.path.insert(0, str(ROOT))
    for name in IMPORTS:
        importlib.import_module(name)


def run(
    folder: Path, tool: str, arguments: Sequence[str], kill: Kill = Kill(), ranks: int = 1, killed_rank: int = 0
) -> Finished:
    """Run a tool from a folder and wait for its end.

    Args:
        folder (Path): Working directory.
        tool (str): Name of a file of ``tools/``.
        arguments (Sequence[str]): Of the command line.
        kill (Kill): Where it ends before its time. Defaults to nowhere.
        ranks (int): Processes that talk over gloo. Defaults to 1.
        killed_rank (int): Which of them is killed; the others are then ended, as torchrun does. Defaults to 0.
    """
    processes = start(folder, tool, arguments, kill, ranks, killed_rank)
    return wait(folder, processes)


def isolated(function: Callable, *arguments: Any) -> None:
    """Call a function in a forked process, so that it leaves nothing in this one but files.

    Raises:
        RuntimeError: If it fails; its traceback goes to stderr.
    """
    number = os.fork()
    if number == 0:
        code = 1
        try:
            with open(os.devnull, 'w') as nowhere, contextlib.redirect_stdout(nowhere):
                function(*arguments)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    if os.waitpid(number, 0)[1]:
        raise RuntimeError(f'{function.__name__}{arguments} failed')


def start(
    folder: Path, tool: str, arguments: Sequence[str], kill: Kill = Kill(), ranks: int = 1, killed_rank: int = 0
) -> list[int]:
    """Start a tool as :func:`run` does, without waiting; returns the numbers of its processes."""
    port = _free_port() if ranks > 1 else 0
    processes = []
    sys.stdout.flush()
    for rank in range(ranks):
        number = os.fork()
        if number == 0:
            _child(folder, tool, list(arguments), kill if rank == killed_rank else Kill(), rank, ranks, port)
        processes.append(number)
    return processes


def wait(folder: Path, processes: Sequence[int]) -> Finished:
    """Wait for the end of what :func:`start` started."""
    codes: dict[int, int] = {}
    deadline, hung = time.monotonic() + LONGEST, False
    while len(codes) < len(processes):
        for number in processes:
            if number not in codes:
                done, status = os.waitpid(number, os.WNOHANG)
                if done:
                    codes[number] = os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline or any(code != 0 for code in codes.values()):
            hung = hung or time.monotonic() > deadline
            for number in processes:
                if number not in codes:
                    os.kill(number, signal.SIGKILL)
        time.sleep(0.005)
    for number in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(number, signal.SIGKILL)  # workers of a killed process
    output = ''.join(_log(folder, number).read_text(errors='replace') for number in processes)
    points = Path(f'{_log(folder, processes[0])}.points')
    found = json.loads(points.read_text()) if points.is_file() else []
    for number in processes:
        _log(folder, number).unlink()
    points.unlink(missing_ok=True)
    return Finished(tuple(codes[number] for number in processes), output, found, hung)


def _child(folder: Path, tool: str, arguments: list[str], kill: Kill, rank: int, ranks: int, port: int) -> None:
    code = 1
    try:
        os.setpgid(0, 0)
        log = os.open(_log(folder, os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1), os.dup2(log, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a tool that asked for input would be stopped by the terminal
        os.chdir(folder)
        if ranks > 1:
            os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(ranks))
            os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
            arguments += ['--launcher', 'pytorch']
        sys.argv = [f'tools/{tool}', *arguments]
        faulthandler.enable()
        failpoints = Failpoints(folder, kill)
        failpoints.install()
        code = _run_tool(tool)
        for number in (signal.SIGINT, signal.SIGTERM):  # as tools do at the end of a process of their own
            signal.signal(number, signal.SIG_IGN)
        points, failpoints.points = failpoints.points, []
        Path(f'{_log(folder, os.getpid())}.points').write_text(json.dumps(points))
        sys.stdout.flush(), sys.stderr.flush()
    finally:
        os._exit(code)


def _run_tool(tool: str) -> int:
    try:
        runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _log(folder: Path, number: int) -> Path:
    """Name the file of a process's output, beside the folder and not in it."""
    return folder.with_name(f'{folder.name}.{number}.log')


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]
