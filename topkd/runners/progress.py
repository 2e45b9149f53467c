"""Progress with the time left: a bar on a terminal, a line now and then in a log file."""

import sys
import time
from collections.abc import Iterator

from mmengine.dist import is_main_process
from mmengine.utils import ProgressBar

SECONDS = 10.0  # between two lines


def progress(what: str, tasks: list[int], seconds: float = SECONDS) -> Iterator[int]:
    """Yield tasks and tell on the main process how many are done.

    Args:
        what (str): What the tasks make.
        tasks (list[int]): The tasks.
        seconds (float): Between two lines if the output is no terminal; the last task always has one. Defaults to 10.

    Yields:
        int: A task.
    """
    if not is_main_process() or not tasks:
        yield from tasks
    elif sys.stdout.isatty():
        yield from _with_bar(what, tasks)
    else:
        yield from _with_lines(what, tasks, seconds)


def _with_bar(what: str, tasks: list[int]) -> Iterator[int]:
    print(f'{what}:', flush=True)
    bar = ProgressBar(len(tasks), file=sys.stdout)
    for task in tasks:
        yield task
        bar.update()
    print(flush=True)


def _with_lines(what: str, tasks: list[int], seconds: float) -> Iterator[int]:
    begin = said = time.monotonic()
    for number, task in enumerate(tasks, 1):
        yield task
        now = time.monotonic()
        if number == len(tasks) or now - said >= seconds:
            said = now
            left = (now - begin) / number * (len(tasks) - number)
            print(f'{what}: {number} of {len(tasks)}, {now - begin:.0f} s, {left:.0f} s left', flush=True)
