"""Points at which a process is killed: every write, rename and removal of a file below a folder."""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# events of Python's audit hooks that change files, and which of their arguments is the path
CHANGES = {'open': 0, 'os.rename': 1, 'os.remove': 0, 'os.rmdir': 0, 'os.mkdir': 0, 'os.truncate': 0}
# calls that change files without an event
SILENT = ('pwrite', 'posix_fallocate', 'fdatasync')


class Kill(NamedTuple):
    """Where and how a process ends.

    Attributes:
        point: Number of the change at which it ends, counted from 0; None for none.
        size: Bytes that the change may still write: the process then ends in the middle of a file. None: before it.
        seconds: Time after which it ends, wherever it is; None for no such end.
        pause: Seconds that it rests at the change instead of ending.
        signal: What it is sent at the change instead of SIGKILL.
    """

    point: int | None = None
    size: int | None = None
    seconds: float | None = None
    pause: float | None = None
    signal: int | None = None


class Failpoints:
    """Count the changes of files in this process, and kill it at one of them.

    The operating system kills it, so that no handler, no ``finally`` and no buffer gets a last word.

    Args:
        folder (Path): Changes elsewhere do not count.
        kill (Kill): Where the process ends.
    """

    def __init__(self, folder: Path, kill: Kill) -> None:
        self.folder, self.kill, self.process = str(folder), kill, os.getpid()
        self.points: list[str] = []

    def install(self) -> None:
        """Begin to count; a forked worker process is left alone."""
        sys.addaudithook(self._audit)
        for name in SILENT:
            setattr(os, name, self._counted(name, getattr(os, name)))
        if self.kill.seconds is not None:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, self.kill.seconds)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        place = CHANGES.get(event)
        if place is None or (event == 'open' and not (arguments[2] or 0) & WRITING):
            return
        path = arguments[place]
        if isinstance(path, (str, bytes, os.PathLike)):
            path = os.path.abspath(os.fsdecode(path))
            if path.startswith(self.folder):
                self._reach(f'{event} {os.path.relpath(path, self.folder)}')

    def _counted(self, name: str, function: Callable) -> Callable:
        def call(*arguments: Any) -> Any:
            self._reach(name)
            return function(*arguments)

        return call

    def _reach(self, point: str) -> None:
        if os.getpid() != self.process:
            return
        number = len(self.points)
        self.points.append(point)
        if self.kill.point is None or number < self.kill.point:
            return
        if self.kill.pause is not None:
            time.sleep(self.kill.pause if number == self.kill.point else 0)
            return
        if self.kill.signal is not None:
            if number == self.kill.point:
                os.kill(self.process, self.kill.signal)
            return
        if self.kill.size is None or number > self.kill.point:
            os.kill(self.process, signal.SIGKILL)
        # the first write beyond this size ends the process; Python itself would rather see an error
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.kill.size, self.kill.size))
