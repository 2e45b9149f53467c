"""How a tool runs and ends: loads that are safe, errors in one sentence, signals and lost output in one line."""

import atexit
import logging
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from typing import Any, NoReturn

from topkd.utils.checkpoint import use_safe_loader
from topkd.utils.interruption import (
    Terminated,
    ignore_signals,
    interruption,
    save_without_interruption,
    terminated_by_exception,
)
from topkd.utils.pretrained import use_checked_initialization
from topkd.utils.sentences import sentence


def tool(main: Callable[[], Any] | None = None, *, go_on: str = 'give the same command again') -> Callable:
    """Turn a user's mistake into one sentence and exit code 1; with TOPKD_DEBUG=1 the traceback is shown.

    Ctrl-C and SIGTERM end with one line and exit code 130 or 143. Also forbids unrestricted unpickling of checkpoints
    for everything that the tool loads, and the weights of other networks in ``init_cfg``.

    Args:
        main (Callable): The tool.
        go_on (str): What the user does to go on after Ctrl-C or SIGTERM.
    """
    if main is None:
        return partial(tool, go_on=go_on)

    @wraps(main)
    def run() -> None:
        os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] = '1'
        try:
            with terminated_by_exception():
                try:
                    _prepare()
                    main()
                    flush()
                except Exception as error:
                    _fail(error)
        except KeyboardInterrupt as stop:
            _end(stop, go_on)

    return run


def _prepare() -> None:
    """Make what this process loads safe, and what it writes whole."""
    say_once_that_the_log_is_lost()
    use_safe_loader()
    use_checked_initialization()
    save_without_interruption()
    atexit.unregister(ignore_signals)
    atexit.register(ignore_signals)  # what is registered last is called first


def say_once_that_the_log_is_lost() -> None:
    """Let a log that cannot be written, because the disk is full, be one line instead of many tracebacks.

    What matters, checkpoints and results, still ends the tool if it cannot be written.
    """
    lost: set[str] = set()

    def say(handler: logging.Handler, record: logging.LogRecord) -> None:
        name = getattr(handler, 'baseFilename', type(handler).__name__)
        if name not in lost:
            lost.add(name)
            print(f"warning: the log '{name}' cannot be written any more ({sys.exc_info()[1]})", file=sys.stderr)

    setattr(logging.Handler, 'handleError', say)  # noqa: B010 -- mypy takes no method for another


def flush() -> None:
    """Print what was not printed yet.

    Raises:
        OSError: If it cannot be, for example into a pipe whose reader has ended; nothing more is printed then.
    """
    if sys.stdout is None:  # closed by who started the tool
        return
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, 'w')  # noqa: SIM115 -- the interpreter would try again at its end
        raise


def _fail(error: Exception) -> NoReturn:
    """End with a sentence, or with the signal that is behind the error."""
    behind = interruption(error)
    if behind is not None:
        raise behind
    message = None if os.environ.get('TOPKD_DEBUG') == '1' else sentence(error)
    if message is None:
        raise error
    config = next((word for word in sys.argv[1:] if word.endswith('.py') or '::' in word), 'CONFIG')
    message = re.sub(r'(?<![\w=])CONFIG(?![\w.@\[])', lambda found: config, message)
    print(f'error: {message} [TOPKD_DEBUG=1 shows where]', file=sys.stderr)
    with suppress(OSError):
        flush()
    sys.exit(1)


def _end(stop: KeyboardInterrupt, go_on: str) -> NoReturn:
    what, code = ('SIGTERM', 143) if isinstance(stop, Terminated) else ('Ctrl-C', 130)
    print(f'\nstopped by {what}; what is finished stays: {go_on}', file=sys.stderr)
    sys.exit(code)
