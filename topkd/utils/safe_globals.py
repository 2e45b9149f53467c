"""The names besides tensors that a checkpoint may use when it is loaded.

torch names the mechanism, not the names that MMEngine's checkpoints need.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer


@contextmanager
def safe_globals(names: list) -> Iterator[None]:
    """Let ``torch.load(weights_only=True)`` use these functions and classes inside the block."""
    before = torch.serialization.get_safe_globals()
    torch.serialization.add_safe_globals(names)
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def beside_weights() -> list:
    """Return the harmless names that checkpoints use besides tensors: numpy values and MMEngine's log buffers."""
    allowed: list = [np.ndarray, np.dtype, HistoryBuffer, slice, argparse.Namespace]
    allowed += {type(np.dtype(code)) for code in '?bBhHiIlLqQefd'}
    # numpy 1.26 has a numpy._core too, an empty one
    multiarray = import_module('numpy.core.multiarray' if np.__version__[0] == '1' else 'numpy._core.multiarray')
    for module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
        # a file names a function by the path it had in the numpy that wrote the file
        allowed += [
            _renamed(multiarray.scalar, module, 'scalar'),
            _renamed(multiarray._reconstruct, module, '_reconstruct'),
        ]
    return [*allowed, _renamed(_latin1, '_codecs', 'encode'), _renamed(_history_method, 'builtins', 'getattr')]


def _renamed(function: Callable, module: str, name: str) -> Callable:

    def call(*args: Any) -> Any:
        return function(*args)

    call.__module__, call.__name__, call.__qualname__ = module, name, name
    return call


def _latin1(text: str, encoding: str) -> bytes:
    """Stand in for ``_codecs.encode``, by which old pickle protocols write the bytes of a numpy value."""
    if encoding != 'latin1':
        raise UnpicklingError(f'the file asks for the encoding {encoding!r}')
    return text.encode('latin1')


def _history_method(owner: Any, name: str) -> Any:
    """Stand in for ``getattr`` where MMEngine's buffers name their own statistics, and refuse everything else."""
    if owner is not HistoryBuffer or name not in ('min', 'max', 'current', 'mean'):
        raise UnpicklingError(f'the file asks for the attribute {name!r} of {owner!r}')
    return getattr(HistoryBuffer, name)
