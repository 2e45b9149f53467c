"""Files that are whole or absent: a kill or a full disk leaves the old file as it was.

Python's json does the format; libraries for atomic files do not say how much room was lacking, nor keep torch's
writer whole.
"""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PARTIAL = '.partial'
REMEDY = 'delete it, and give the command again that makes it'


def check_file(path: str | Path, what: str, remedy: str) -> None:
    """Refuse a path that leads to no file.

    Args:
        path (str | Path): As the user wrote it.
        what (str): What the file should be, for the message.
        remedy (str): What to do.

    Raises:
        FileNotFoundError: If there is nothing, or a folder.

    Example:
        >>> check_file('none.pth', 'checkpoint', 'correct the path')
        Traceback (most recent call last):
        FileNotFoundError: checkpoint 'none.pth' does not exist: correct the path
    """
    if not os.path.isfile(os.path.expanduser(path)):
        state = 'is a folder, a file was expected' if os.path.isdir(os.path.expanduser(path)) else 'does not exist'
        raise FileNotFoundError(f"{what} '{path}' {state}: {remedy}")


@contextmanager
def whole_file(path: str | Path, size: int | None = None) -> Iterator[Path]:
    """Write a file beside its destination inside a ``with`` block, and put it in place at the block's end.

    A device or pipe, for example /dev/null, is written to itself: nothing is ever put in its place.

    Args:
        path (str | Path): Destination; its folder is made, links are followed.
        size (int, optional): Bytes that it will have, for the message if they do not fit.

    Returns:
        Iterator[Path]: The path to write to.

    Raises:
        OSError: If the disk is full or the folder cannot be written; the file that was there before is unchanged and
            nothing else is left behind.
    """
    destination = Path(path)
    destination = destination.resolve() if destination.is_symlink() else destination
    device = destination.exists() and not destination.is_file() and not destination.is_dir()
    partial = destination.with_name(f'.{destination.name}.{os.getpid()}{PARTIAL}')
    try:
        if device:
            yield destination
        else:
            destination.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            os.replace(partial, destination)
    except (OSError, RuntimeError) as error:
        raise OSError(_refusal(destination, size, error)) from error
    finally:
        if partial.is_file():
            partial.unlink()


def _refusal(destination: Path, size: int | None, error: OSError | RuntimeError) -> str:
    """Say why a file could not be written, and what to do."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    # torch's zip writer reports a full disk as a RuntimeError without a number
    full = not isinstance(error, OSError) or error.errno in (errno.ENOSPC, errno.EDQUOT, None)
    much = f' of {size / 2**20:.1f} MiB' if full and size is not None else ''
    remedy = 'free space on that disk or choose another folder' if full else 'choose another path'
    return f"cannot write '{destination}'{much} ({said}): {remedy}; the file that was there before is unchanged"


def write_text(text: str, path: str | Path) -> None:
    """Write a text so that a reader sees the old file or the new one, never half of it."""
    content = text.encode()
    with whole_file(path, len(content)) as partial:
        partial.write_bytes(content)


def write_json(content: dict, path: str | Path) -> None:
    """Write JSON as :func:`write_text` does."""
    write_text(json.dumps(content, indent=2) + '\n', path)


def read_json(path: str | Path, *needed: str) -> dict[str, Any]:
    """Read a JSON object that :func:`write_json` wrote.

    Args:
        path (str | Path): The file.
        *needed (str): Entries that it must have.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged.
    """
    try:
        content = json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise ValueError(f"'{path}' is damaged ({error}): {REMEDY}") from error
    if not isinstance(content, dict):
        raise ValueError(f"'{path}' is damaged (it must hold a dict, got a {type(content).__name__}): {REMEDY}")
    lacks = [name for name in needed if name not in content]
    if lacks:
        raise ValueError(f"'{path}' is damaged (it lacks {', '.join(lacks)}): {REMEDY}")
    return content


def remove_partials(folder: str | Path) -> None:
    """Remove what killed processes left half written in a folder that no other process writes to now.

    Args:
        folder (str | Path): Searched without its subfolders; it may be missing.
    """
    for path in Path(folder).glob(f'*{PARTIAL}'):
        path.unlink(missing_ok=True)
