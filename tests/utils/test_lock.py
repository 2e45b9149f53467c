"""One process at a time in a folder."""

import multiprocessing
import os
import signal

import pytest

import topkd.utils.lock as module
from topkd.utils.lock import working_in


def hold(folder: str, held: multiprocessing.Queue) -> None:
    with working_in(folder, 'training', wait=False):
        held.put(1)
        signal.pause()


@pytest.fixture
def holder(tmp_path):
    """Start a process that works in a folder until it is killed."""
    context = multiprocessing.get_context('fork')
    held = context.Queue()
    process = context.Process(target=hold, args=(str(tmp_path / 'work'), held))
    process.start()
    held.get(timeout=60)
    yield process
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_the_second_refuses(tmp_path, holder):
    with pytest.raises(BlockingIOError, match=r"another process is training in '.*work': wait for its end, or give"):
        with working_in(tmp_path / 'work', 'training', wait=False):
            pytest.fail('two are at work')


def test_the_second_waits_and_goes_on_when_the_first_is_killed(tmp_path, holder, monkeypatch):
    said = []

    def print_log(line: str, logger: str) -> None:
        said.append(line)
        os.kill(holder.pid, signal.SIGKILL)

    monkeypatch.setattr(module, 'print_log', print_log)
    with working_in(tmp_path / 'work', 'making clouds', wait=True):
        assert said == [f"another process is making clouds in '{tmp_path}/work': waiting for its end"]
    with working_in(tmp_path / 'work', 'making clouds', wait=False):
        assert len(said) == 1


def test_a_worker_that_outlives_its_parent_holds_nothing(tmp_path):
    """The parent forks a worker inside the block, and is killed; the worker lives on."""
    context = multiprocessing.get_context('fork')
    born = context.Queue()

    def work() -> None:
        with working_in(tmp_path, 'training', wait=False):
            worker = os.fork()
            if worker == 0:
                signal.pause()
            born.put(worker)
            signal.pause()

    parent = context.Process(target=work)
    parent.start()
    worker = born.get(timeout=60)
    os.kill(parent.pid, signal.SIGKILL)
    parent.join()
    with working_in(tmp_path, 'training', wait=False):
        os.kill(worker, 0)  # it is still there
    os.kill(worker, signal.SIGKILL)
