"""Folders that one process at a time writes to."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

NAME = '.job.lock'  # beside that of the tool, which a job's own process takes inside this one


@contextmanager
def hold(folders: Sequence[Path], say: Callable[[str], object]) -> Iterator[None]:
    """Keep every other process that asks for one of these folders waiting; the system lets go if this process dies.

    Args:
        folders (Sequence[Path]): Made if they are missing. They are taken in alphabetical order, so that two processes
            with some of them in common never wait for each other.
        say (Callable): Told once for each folder that another process holds.

    Example:
        >>> from tempfile import mkdtemp
        >>> folder = Path(mkdtemp())
        >>> with hold([folder], print):
        ...     is_held(folder)
        True
        >>> is_held(folder)
        False
    """
    with ExitStack() as stack:
        for folder in sorted(set(folders)):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_acquired(folder, say))
        yield


def _acquired(folder: Path, say: Callable[[str], object]) -> FileLock:
    lock = FileLock(folder / NAME)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"another process is at work in '{folder}': waiting for its end")
        lock.acquire()
    return lock


def is_held(folder: Path) -> bool:
    """Tell whether another process is at work in a folder."""
    path = folder / NAME
    if not path.is_file():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
