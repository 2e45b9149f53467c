"""Whether the arrays of an artifact are what the manifest says: their sizes, their checksums, finite numbers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from topkd.artifacts.array_file import ArrayFile

BYTES_AT_ONCE = 2**24
SEAL = 'sha256'  # entry of a manifest


def record(path: str | Path) -> dict[str, Any]:
    """Return what a manifest keeps of a file: ``size`` in bytes and ``sha256``, as ``sha256sum`` prints it.

    Args:
        path (str | Path): An existing file.
    """
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while part := file.read(BYTES_AT_ONCE):
            digest.update(part)
    return dict(size=Path(path).stat().st_size, sha256=digest.hexdigest())


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest with the checksum of its own content, so that a change of any value is seen.

    Example:
        >>> is_sealed(sealed(dict(width=64))), is_sealed(dict(sealed(dict(width=64)), width=3))
        (True, False)
    """
    content = {key: value for key, value in manifest.items() if key != SEAL}
    return {**content, SEAL: _digest(content)}


def is_sealed(manifest: Mapping[str, Any]) -> bool:
    """Tell whether a manifest is what was written; one of older versions, without a checksum, passes."""
    return SEAL not in manifest or manifest[SEAL] == _digest({k: v for k, v in manifest.items() if k != SEAL})


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def damage(
    path: str | Path, shape: Sequence[int | None], dtype: Any, recorded: Mapping[str, Any] | None = None
) -> str | None:
    """Say what is wrong with an array.

    Args:
        path (str | Path): A ``.npy`` file.
        shape (Sequence[int | None]): That it must have; None stands for any length.
        dtype (Any): That it must have.
        recorded (Mapping, optional): Its :func:`record`; without one the content is not compared.

    Returns:
        str | None: A few words, None if nothing is wrong.
    """
    try:
        file = ArrayFile(path)
    except FileNotFoundError:
        return 'it is missing'
    except ValueError as error:
        return str(error).split(': delete')[0].split('; delete')[0]
    fits = len(shape) == len(file.shape) and all(asked in (None, got) for asked, got in zip(shape, file.shape))
    if not fits or file.dtype != np.dtype(dtype):
        asked = ' x '.join('any' if length is None else str(length) for length in shape)
        got = ' x '.join(map(str, file.shape))
        return f'it must hold {asked} numbers of type {np.dtype(dtype)}, got {got} of type {file.dtype}'
    if recorded is not None and record(path) != dict(recorded):
        return 'its content is not what tools/gen_pi.py wrote'
    return None


def first_not_finite(path: str | Path) -> int | None:
    """Return the first row of an array in which a number is not finite, None if there is none."""
    file = ArrayFile(path)
    rows = max(BYTES_AT_ONCE // max(int(np.prod(file.shape[1:])) * file.dtype.itemsize, 1), 1)
    for start in range(0, len(file), rows):
        part = file.read(start, start + rows)
        broken = ~np.isfinite(part).all(axis=tuple(range(1, part.ndim)))
        if broken.any():
            return start + int(broken.argmax())
    return None
