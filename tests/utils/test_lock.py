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


def test_the_second_refuses(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(module, 'SECONDS_AFTER_A_KILL', 0.1)
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
