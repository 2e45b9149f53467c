"""Names of files and folders on the command line."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path


def path(word: str) -> str:
    """Read the name of a file or folder from the command line, which need not exist."""
    if not word.strip():
        raise argparse.ArgumentTypeError("expected the name of a file or folder, got ''")
    return word


def config_path(word: str) -> Path:
    """Read the name of a config to write from the command line."""
    if Path(word).suffix != '.py':
        raise argparse.ArgumentTypeError(f"expected the name of a .py file, as configs are read from, got '{word}'")
    return Path(word)


def named_paths(words: Sequence[str], exists: Callable[[str], bool], what: str) -> dict[str, str]:
    """Read ``NAME=PATH`` arguments.

    Args:
        words (Sequence[str]): The arguments; one without a name is named after its file or folder.
        exists (Callable): ``os.path.isfile`` or ``os.path.isdir``.
        what (str): What a path should be, for the messages: 'checkpoint' or 'run'.

    Returns:
        dict: Path by name, in the order given.

    Raises:
        FileNotFoundError: If a path does not exist.
        ValueError: If two have the same name.
    """
    result: dict[str, str] = {}
    for word in words:
        if '=' in word and not exists(word):
            name, path = word.split('=', 1)
        else:
            own = Path(word).resolve()
            name, path = own.name if own.is_dir() else own.stem, word
        if not exists(path):
            raise FileNotFoundError(f"{what} '{path}' does not exist: correct the path of NAME={what.upper()}")
        if name in result:
            raise ValueError(f"two {what}s are named '{name}', each needs a name of its own: give NAME={what.upper()}")
        result[name] = path
    return result


def keep_inputs(out: str | Path, *inputs: str | None) -> None:
    """Refuse to write over a file that the same command reads.

    Args:
        out (str | Path): File to write.
        inputs (str | None): Files to read; one that is None or not there is none.

    Raises:
        ValueError: If it is one of them.
    """
    for one in inputs:
        if one is not None and os.path.isfile(out) and os.path.isfile(one) and os.path.samefile(out, one):
            raise ValueError(f"'{out}' is read by this command, which would write over it: name another file to write")
