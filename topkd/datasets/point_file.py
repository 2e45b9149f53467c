"""Point clouds of any origin, read from a file."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SUFFIXES = ('.npy', '.npz', '.csv', '.txt')


def read_points(path: str | Path, index: int | None = None, key: str | None = None) -> np.ndarray:
    """Read one point cloud from a file.

    Args:
        path (str | Path): A ``.npy`` or ``.npz`` file of an array (n, d), or (B, n, d) for B clouds; or numbers in
            rows, one point a row, separated by commas (``.csv``) or white space (``.txt``), with at most one line of
            headings.
        index (int, optional): Number of the cloud, from 0, where there are several.
        key (str, optional): Name of the array in a ``.npz`` file that holds several.

    Returns:
        np.ndarray: Points (n, d), float64, finite, n >= 2.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds no such points; the message says what it holds.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"point cloud '{path}' does not exist: name a file {', '.join(SUFFIXES)}, or a config .py"
        )
    if path.suffix not in SUFFIXES:
        raise ValueError(f"'{path}' is no file of points: expected one of {', '.join(SUFFIXES)}")
    array = _read_rows(path) if path.suffix in ('.csv', '.txt') else _read_array(path, key)
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise ValueError(f"'{path}' must hold real numbers, got an array of {array.dtype}: save it as float")
    return _checked(_one_cloud(array, index, path), path)


def _read_array(path: Path, key: str | None) -> np.ndarray:
    content = _load(lambda: np.load(path, allow_pickle=False), path)
    if isinstance(content, np.ndarray):
        if key is not None:
            raise ValueError(f"'{path}' holds one array, which has no name, got --key {key}: leave it out")
        return content
    names = content.files
    if (key is None and len(names) != 1) or (key is not None and key not in names):
        wanted = 'one has to be chosen' if key is None else f"none is named '{key}'"
        raise ValueError(
            f"'{path}' holds the arrays {', '.join(names) or '(none)'}, {wanted}: name one of them by --key"
        )
    return _load(lambda: content[names[0] if key is None else key], path)


def _load(read: Callable[[], Any], path: Path) -> Any:
    try:
        return read()
    except Exception as error:  # damaged bytes are read as a header, and can raise nearly anything
        raise ValueError(
            f"'{path}' cannot be read as a numpy file ({type(error).__name__}): it is damaged or holds Python objects; "
            'save plain numbers by numpy.save'
        ) from error


def _read_rows(path: Path) -> np.ndarray:
    delimiter = ',' if path.suffix == '.csv' else None
    try:
        with open(path, encoding='utf-8-sig') as file, warnings.catch_warnings():
            warnings.simplefilter('ignore')  # that an empty file is empty, which its shape tells
            headings = not any(map(_is_number, file.readline().split(delimiter)))
            return np.loadtxt(path, delimiter=delimiter, skiprows=int(headings), ndmin=2, encoding='utf-8-sig')
    except ValueError as error:
        what = 'commas' if delimiter else 'white space'
        raise ValueError(
            f"'{path}' must hold one point a row, numbers separated by {what}, all rows of one length ({error}): "
            'correct the file'
        ) from error


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _one_cloud(array: np.ndarray, index: int | None, path: Path) -> np.ndarray:
    if array.ndim == 3 and (index is not None or len(array) == 1):
        number = index or 0
        if not 0 <= number < len(array):
            raise ValueError(f"'{path}' holds {len(array)} clouds, --index must be 0 to {len(array) - 1}, got {index}")
        return array[number]
    if array.ndim == 3:
        raise ValueError(
            f"'{path}' holds {len(array)} clouds of {array.shape[1]} points: choose one by --index 0 to "
            f'{len(array) - 1}'
        )
    if index is not None and array.ndim == 2:
        raise ValueError(f"'{path}' holds one cloud of shape {array.shape}: leave out --index")
    return array


def _checked(points: np.ndarray, path: Path) -> np.ndarray:
    if points.ndim != 2 or points.shape[0] < 2 or points.shape[1] < 1:
        raise ValueError(
            f"'{path}' must hold points (n, d), or clouds (B, n, d), with n >= 2, got an array of shape "
            f'{points.shape}: reshape it, one point a row'
        )
    broken = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(broken):
        raise ValueError(
            f"point {broken[0]} of '{path}' is not finite (NaN or infinite; {len(broken)} such of {len(points)}): "
            'leave these points out'
        )
    return points.astype(np.float64)
