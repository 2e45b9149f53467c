"""Ctrl-C and SIGTERM: exceptions that clear up, but not in the middle of what cannot bear one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """SIGTERM, as queues and service managers send it before they kill."""


@contextmanager
def terminated_by_exception() -> Iterator[None]:
    """Turn SIGTERM into :class:`Terminated` inside the block, so that files and child processes are cleared up."""

    def end(*arguments: Any) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def interruption(error: BaseException) -> KeyboardInterrupt | None:
    """Return the signal behind an error, None if there was none.

    Libraries that catch everything, such as MMEngine where it formats a config, turn a signal into an error of theirs.

    Args:
        error (BaseException): What was raised in the end.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, KeyboardInterrupt):
        cause = cause.__cause__ or cause.__context__
    return cause


@contextmanager
def held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait for the end of the block."""
    if threading.current_thread() is not threading.main_thread():  # they interrupt the main thread alone
        yield
        return
    came: dict[int, None] = {}
    before: dict[int, Any] = {}
    try:
        for number in SIGNALS:
            if signal.getsignal(number) is not None:  # one that was not set by Python could not be set again
                before[number] = signal.signal(number, lambda came_now, frame: came.setdefault(came_now))
        yield
    finally:
        for changed, handler in before.items():
            signal.signal(changed, handler)
        for caught in came:
            signal.raise_signal(caught)


def save_without_interruption() -> None:
    """Let ``torch.save`` be interrupted behind its end only, from now on.

    It leaves a writer that is not closed if a signal is raised in it. MMEngine's buffer under that writer is closed by
    then, and the writer's end, which fails, ends the process by SIGABRT.
    """
    save = torch.save
    if getattr(save, 'is_held_back', False):
        return

    @wraps(save)
    def held(*args: Any, **kwargs: Any) -> None:
        with held_back():
            save(*args, **kwargs)

    setattr(held, 'is_held_back', True)  # noqa: B010 -- mypy knows no attributes of functions
    setattr(torch, 'save', held)  # noqa: B010


def ignore_signals() -> None:
    """Let Ctrl-C and SIGTERM have no effect any more: for a process that has ended its work and only shuts down."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
