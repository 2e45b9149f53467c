"""Files of numbers that analyses write beside their figures, and the few of them that tables of the paper quote."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from topkd.utils.files import read_json, write_json

# by network ('teacher' and the students) and metric
Figures = dict[str, dict[str, float]]


def write_record(folder: str | Path, name: str, origin: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """Write what an analysis found, after what it was made from.

    Args:
        folder (str | Path): Where to.
        name (str): Of the file, without its ending.
        origin (Mapping): Command, config, checkpoints, seed: what is needed to repeat it.
        content (Mapping): The findings, as plain values.

    Returns:
        str: Path of the file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = write_record(folder, 'cost', dict(seed=0), dict(costs=[]))
        ...     read_record(folder, 'cost')
        {'seed': 0, 'costs': []}
    """
    path = Path(folder, f'{name}.json')
    write_json({**origin, **content}, path)
    return str(path)


def read_record(folder: str | Path, name: str) -> dict[str, Any]:
    """Read what :func:`write_record` wrote.

    Raises:
        FileNotFoundError: If the analysis did not write it.

    Example:
        >>> path = write_record('.', 'cost', dict(seed=0), dict(costs=[]))
        >>> read_record('.', 'cost')
        {'seed': 0, 'costs': []}
    """
    return read_json(Path(folder, f'{name}.json'))
