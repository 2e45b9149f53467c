"""Reading a pickle of plain containers and NumPy arrays without letting it run code."""

import pickle
from pathlib import Path
from typing import Any

# All that NumPy 1, NumPy 2 and Python 2 write for an array: its shell, its dtype, its buffer, bytes.
ARRAY_GLOBALS = {
    ('numpy', 'ndarray'),
    ('numpy', 'dtype'),
    ('numpy.core.multiarray', '_reconstruct'),
    ('numpy._core.multiarray', '_reconstruct'),
    ('numpy.core.multiarray', 'scalar'),
    ('numpy._core.multiarray', 'scalar'),
    ('numpy.core.numeric', '_frombuffer'),
    ('numpy._core.numeric', '_frombuffer'),
    ('_codecs', 'encode'),
    ('__builtin__', 'bytes'),  # How Python 3 writes no bytes at all for Python 2.
}


class ArrayUnpickler(pickle.Unpickler):
    """Unpickle containers, numbers, text and NumPy arrays, and refuse every other global."""

    def find_class(self, module: str, name: str) -> Any:
        """Resolve a global of the pickle if it belongs to an array, otherwise raise."""
        if (module, name) not in ARRAY_GLOBALS:
            raise pickle.UnpicklingError(f'it asks for {module}.{name}, only NumPy arrays are allowed')
        return super().find_class(module, name)


def load_arrays(path: Path) -> Any:
    """Read a pickle of Python 2 or 3 that holds plain containers and NumPy arrays.

    Args:
        path (Path): The file.

    Returns:
        Any: The unpickled object; text written by Python 2 arrives as bytes.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is truncated, no pickle, or asks for a global other than an array.
    """
    with open(path, 'rb') as file:
        try:
            return ArrayUnpickler(file, encoding='bytes').load()
        except Exception as error:  # Damaged bytes are interpreted as instructions and can raise nearly anything.
            raise ValueError(
                f'expected {path} to be a pickle of NumPy arrays, got a truncated or foreign file '
                f'({type(error).__name__}: {error}): replace it by the original'
            ) from error
