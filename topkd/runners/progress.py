"""A progress bar for terminals and for log files."""

from collections.abc import Iterator

from mmengine.dist import is_main_process
from mmengine.utils import ProgressBar


def progress(what: str, tasks: list[int]) -> Iterator[int]:
    """Yield tasks behind a progress bar with the time left, on the main process."""
    if not is_main_process() or not tasks:
        yield from tasks
        return
    print(f'{what}:', flush=True)
    bar = ProgressBar(len(tasks))
    step = max(len(tasks) // 100, 1)  # a log file keeps every update
    for number, task in enumerate(tasks, 1):
        yield task
        if number % step == 0:
            bar.update(step)
    if len(tasks) % step:
        bar.update(len(tasks) % step)
    print(flush=True)
