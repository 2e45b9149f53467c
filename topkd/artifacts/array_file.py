"""Arrays on disk that are read and written by rows, in constant memory."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from topkd.utils.files import PARTIAL


class ArrayFile:
    """A ``.npy`` file of fixed shape that is read and written by rows.

    Any tool can memory-map the file. Here rows go through ``pread`` and ``pwrite``: pages of a mapping would count as
    this process's memory, and a full disk would kill it by a signal instead of raising an error.

    Args:
        path (str | Path): An existing file.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it is no array, not stored row by row, or shorter than its header says.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._handle: int | None = None
        if not self.path.is_file():
            raise FileNotFoundError(f"'{path}' does not exist: make it with tools/gen_pi.py")
        try:
            with open(self.path, 'rb') as file:
                np.lib.format.read_magic(file)
                self.shape, fortran_order, self.dtype = np.lib.format.read_array_header_1_0(file)
                self._offset = file.tell()
            if fortran_order or not self.shape or self.dtype.hasobject:
                raise ValueError('its numbers are not stored row by row')
        except ValueError as error:
            raise ValueError(
                f"'{path}' is not a complete array ({error}): delete its folder and run tools/gen_pi.py again"
            ) from error
        self._row_bytes = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        expected, got = self._offset + len(self) * self._row_bytes, self.path.stat().st_size
        if got < expected:
            raise ValueError(
                f"'{path}' is cut short: expected {expected} bytes, got {got}; delete its folder and run "
                'tools/gen_pi.py again'
            )

    @classmethod
    def create(cls, path: str | Path, shape: tuple[int, ...], dtype: Any = np.float32, fill: int = 0) -> 'ArrayFile':
        """Make a file of equal numbers, its space reserved, under its final name only once it is whole.

        Args:
            path (str | Path): Of the file.
            shape (tuple[int, ...]): Of the array.
            dtype (Any): Of its numbers. Defaults to float32.
            fill (int): The number; one that is not 0 is written as a whole and meant for small files. Defaults to 0.

        Raises:
            OSError: If the disk has no room for it.
        """
        path, dtype = Path(path), np.dtype(dtype)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        partial = path.with_name(f'.{path.name}.{os.getpid()}{PARTIAL}')
        try:
            with open(partial, 'wb') as file:
                header = dict(descr=np.lib.format.dtype_to_descr(dtype), fortran_order=False, shape=tuple(shape))
                np.lib.format.write_array_header_1_0(file, header)
                file.flush()
                if hasattr(os, 'posix_fallocate'):
                    os.posix_fallocate(file.fileno(), 0, file.tell() + size)
                else:
                    file.truncate(file.tell() + size)
                if fill:
                    file.write(np.full(shape, fill, dtype).tobytes())
            os.replace(partial, path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            free = shutil.disk_usage(path.parent).free
            raise OSError(
                f"cannot make '{path}' of {size / 2**20:.0f} MiB ({error.strerror}): free space on that disk, "
                f'choose another folder, or ask for fewer clouds (clouds.num_clouds); {free / 2**20:.0f} MiB are free'
            ) from error
        return cls(path)

    def __len__(self) -> int:
        return self.shape[0]

    def write(self, start: int, rows: np.ndarray) -> None:
        """Write consecutive rows from row ``start`` on."""
        data = np.ascontiguousarray(rows, dtype=self.dtype).reshape(-1).view(np.uint8).data
        offset = self._offset + start * self._row_bytes
        try:
            while data:
                written = os.pwrite(self._file(), data, offset)
                data, offset = data[written:], offset + written
        except OSError as error:
            raise OSError(
                f"cannot write '{self.path}' ({error.strerror}): free space on that disk, then run tools/gen_pi.py "
                'again, it goes on where it stopped'
            ) from error

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read rows ``start`` to ``stop`` (exclusive).

        Raises:
            ValueError: If the file became shorter since it was opened.
        """
        rows = np.empty((max(min(stop, len(self)) - start, 0), *self.shape[1:]), self.dtype)
        self._fill(rows, start)
        return rows

    def take(self, indices: Iterable[int]) -> np.ndarray:
        """Read rows in any order; raises as :meth:`read`."""
        indices = list(indices)
        rows = np.empty((len(indices), *self.shape[1:]), self.dtype)
        for row, index in enumerate(indices):
            self._fill(rows[row : row + 1], index)
        return rows

    def _fill(self, rows: np.ndarray, start: int) -> None:
        """Read into consecutive rows of an array; one call of the system reads 2 GiB at most."""
        buffer = rows.reshape(-1).view(np.uint8).data
        offset = self._offset + start * self._row_bytes
        while buffer:
            count = os.preadv(self._file(), [buffer], offset)
            if count == 0:
                raise ValueError(
                    f"'{self.path}' became shorter while it was read: run tools/gen_pi.py again, which makes it again"
                )
            buffer, offset = buffer[count:], offset + count

    def flush(self) -> None:
        """Wait until what was written is on the disk."""
        os.fdatasync(self._file()) if hasattr(os, 'fdatasync') else os.fsync(self._file())

    def _file(self) -> int:
        if self._handle is None:
            self._handle = os.open(self.path, os.O_RDWR if os.access(self.path, os.W_OK) else os.O_RDONLY)
        return self._handle

    def __getstate__(self) -> dict:
        # a worker process opens the file itself
        return dict(self.__dict__, _handle=None)

    def __del__(self) -> None:
        handle: int | None = getattr(self, '_handle', None)
        if handle is not None:
            os.close(handle)
