"""Ctrl-C and SIGTERM at moments that cannot bear an exception."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from said import without_warnings

from topkd.utils.interruption import Terminated, held_back, terminated_by_exception

NUMBERS = pytest.mark.parametrize(
    'number, code, name', [(signal.SIGTERM, 143, 'SIGTERM'), (signal.SIGINT, 130, 'Ctrl-C')]
)
# MMEngine writes a checkpoint into a buffer; the signal comes when torch is about to end its part
SAVING = """
import io, os, sys, torch
from topkd.cli import tool

def profile(frame, event, argument):
    if event == 'call' and frame.f_code.co_name == '__exit__' and 'torch' in frame.f_code.co_filename:
        sys.setprofile(None)
        os.kill(os.getpid(), {number})

@tool
def main():
    with io.BytesIO() as buffer:
        sys.setprofile(profile)
        torch.save(dict(a=torch.zeros(3)), buffer)
    print('not reached')

main()
"""
# what was registered to be called at the end before the tool began is called after what the tool registers
ENDING = """
import atexit, os
from topkd.cli import tool

@atexit.register
def end():
    os.kill(os.getpid(), {number})
    print('to the end')

@tool
def main():
    print('done')

main()
"""


def run(script: str, number: int) -> subprocess.CompletedProcess:
    command = [sys.executable, '-c', script.format(number=int(number))]
    result = subprocess.run(command, capture_output=True, text=True)
    result.stderr = without_warnings(result.stderr)
    return result


@NUMBERS
def test_a_signal_while_torch_writes_ends_with_one_line(number, code, name):
    result = run(SAVING, number)
    assert result.returncode == code and result.stdout == '', result.stderr
    assert result.stderr.strip() == f'stopped by {name}; what is finished stays: give the same command again'


@NUMBERS
def test_a_signal_after_the_work_changes_nothing(number, code, name):
    result = run(ENDING, number)
    assert (result.returncode, result.stdout, result.stderr) == (0, 'done\nto the end\n', '')


def test_a_signal_waits_for_the_end_of_a_block():
    reached = []
    with terminated_by_exception():
        handler = signal.getsignal(signal.SIGTERM)
        with pytest.raises(Terminated):
            with held_back():
                os.kill(os.getpid(), signal.SIGTERM)
                reached.append(1)
        assert reached == [1] and signal.getsignal(signal.SIGTERM) is handler


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with held_back():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_threads_beside_the_main_one_hold_nothing_back():
    handlers = []

    def work() -> None:
        with held_back():
            handlers.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGTERM)]
