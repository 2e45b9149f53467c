"""One process at a time in a folder; the operating system gives it free when the process ends, however it ends.

Worker processes do not hold their parent's lock: filelock closes it in a fork.

The lock itself is filelock's; this adds several processes of one training, waiting, and a sentence.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from mmengine.dist import barrier, is_main_process
from mmengine.logging import print_log

LOCK = '.lock'


@contextmanager
def working_in(folder: str | Path, what: str, wait: bool) -> Iterator[None]:
    """Keep other processes out of a folder inside a ``with`` block.

    Of a training on several processes the first one holds the lock for all.

    Args:
        folder (str | Path): Made if it is missing.
        what (str): What another process that holds the lock is doing, for the message.
        wait (bool): Whether to wait for that process; otherwise it is an error.

    Raises:
        BlockingIOError: If another process is at work in the folder and this one does not wait.
    """
    lock = _acquired(Path(folder), what, wait) if is_main_process() else None
    barrier()
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def _acquired(folder: Path, what: str, wait: bool) -> FileLock | None:
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except NotImplementedError:
        print_log(f"the file system of '{folder}' has no locks: start nothing else that writes there", 'current', 30)
        return None
    except Timeout as error:
        if not wait:
            raise BlockingIOError(
                f"another process is {what} in '{folder}': wait for its end, or give this one another folder by "
                '--work-dir'
            ) from error
        print_log(f"another process is {what} in '{folder}': waiting for its end", 'current')
        lock.acquire()
    return lock
