"""The folder of a teacher's clouds, images and RipsNet: its name, its manifest, its arrays."""
import json
import os
import re
from pathlib import Path
from typing import Any, Dict, Iterable, Optional, Tuple, Union

import numpy as np

ROOT = 'work_dirs/ripsnet'
COMMANDS = 'python tools/gen_pi.py CONFIG\n  python tools/train_ripsnet.py CONFIG'


def cloud_request(loss: dict) -> Dict[str, Any]:
    """Return what a topology loss's config asks of its clouds and images, as plain values.

    Args:
        loss (dict): Config of a :class:`topkd.models.TopologyLoss`.

    Returns:
        dict: tap, cloud, homology_dims and resolution.
    """
    vectorizer, cloud = loss.get('vectorizer', {}), loss.get('cloud', {})
    taps = loss.get('teacher_tap') or loss.get('student_tap', 'neck[0]')
    # entries that only some clouds have
    extra = {key: cloud[key] for key in ('ignore_padding', 'images_per_cloud') if cloud.get(key)}
    return dict(
        extra,
        tap=taps if isinstance(taps, str) else list(taps),
        cloud=cloud.get('type', 'BatchCloud').split('.')[-1],
        num_points=cloud['grid']**2 if 'grid' in cloud else cloud.get('num_points'),
        normalization=cloud.get('normalization', 'none'),
        homology_dims=list(vectorizer.get('homology_dims', (0, ))),
        resolution=list(vectorizer.get('resolution', (20, 20))))


def artifact_folder(teacher_name: str, loss: dict) -> str:
    """Return the folder that all students of a teacher share.

    ``work_dirs/ripsnet/<teacher>_<tap>_n<points>_h<dims>``, with what departs from the paper's clouds and images behind
    it. A teacher's name says network and data set, for example ``resnet56_cifar100``.

    Args:
        teacher_name (str): Name of the teacher.
        loss (dict): Config of the topology loss.
    """
    checkpoint = loss.get('vectorizer', {}).get('checkpoint')
    if checkpoint is not None:
        return os.path.dirname(checkpoint) or '.'
    asked = cloud_request(loss)
    taps = [asked['tap']] if isinstance(asked['tap'], str) else asked['tap']
    parts = [teacher_name, '-'.join(re.sub(r'\W+', '-', path).strip('-') for path in taps), f"n{asked['num_points']}",
             'h' + ''.join(map(str, asked['homology_dims']))]
    if asked['cloud'] != 'BatchCloud':
        parts.append(asked['cloud'])
    if asked['normalization'] != 'none':
        parts.append(asked['normalization'])
    if asked['resolution'] != [20, 20]:
        parts.append('x'.join(map(str, asked['resolution'])))
    return os.path.join(ROOT, '_'.join(parts))


def ripsnet_path(loss: dict, teacher_name: str) -> dict:
    """Fill in where the RipsNet of a loss lies, if the loss has one and does not say so itself.

    Args:
        loss (dict): Config of any loss.
        teacher_name (str): Name of the teacher.

    Returns:
        dict: The config, with ``vectorizer.checkpoint`` set.
    """
    vectorizer = loss.get('vectorizer')
    if not isinstance(vectorizer, dict) or vectorizer.get('type', '').split('.')[-1] != 'RipsNet':
        return loss
    if 'checkpoint' in vectorizer or 'in_channels' in vectorizer or loss.get('distance', 'images') != 'images':
        return loss
    path = os.path.join(artifact_folder(teacher_name, loss), 'ripsnet.pth')
    return dict(loss, vectorizer=dict(vectorizer, checkpoint=path))


class ArrayFile:
    """A ``.npy`` file of fixed shape that is read and written by rows.

    Any tool can memory-map the file. Here rows go through ``pread`` and ``pwrite``: pages of a mapping would count as
    this process's memory, and a full disk would kill it by a signal instead of raising an error.

    Args:
        path (str | Path): An existing file.

    Raises:
        FileNotFoundError: Where it does not exist.
        ValueError: Where it is no array, or shorter than its header says.
    """

    def __init__(self, path: Union[str, Path]) -> None:
        self.path = Path(path)
        self._handle: Optional[int] = None
        if not self.path.is_file():
            raise FileNotFoundError(f"'{path}' does not exist: make it with tools/gen_pi.py")
        try:
            with open(self.path, 'rb') as file:
                np.lib.format.read_magic(file)
                self.shape, _, self.dtype = np.lib.format.read_array_header_1_0(file)
                self._offset = file.tell()
        except ValueError as error:
            raise ValueError(f"'{path}' is not a complete array ({error}): delete its folder and run tools/gen_pi.py "
                             'again') from error
        self._row_bytes = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        expected, got = self._offset + len(self) * self._row_bytes, self.path.stat().st_size
        if got < expected:
            raise ValueError(f"'{path}' is cut short: expected {expected} bytes, got {got}; delete its folder and run "
                             'tools/gen_pi.py again')

    @classmethod
    def create(cls, path: Union[str, Path], shape: Tuple[int, ...], dtype: Any = np.float32) -> 'ArrayFile':
        """Make a file of zeros, its space reserved, under its final name only once it is whole.

        Raises:
            OSError: Where the disk has no room for it.
        """
        path, dtype = Path(path), np.dtype(dtype)
        partial = path.with_name(path.name + '.partial')
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        try:
            with open(partial, 'wb') as file:
                header = dict(descr=np.lib.format.dtype_to_descr(dtype), fortran_order=False, shape=tuple(shape))
                np.lib.format.write_array_header_1_0(file, header)
                file.flush()
                if hasattr(os, 'posix_fallocate'):
                    os.posix_fallocate(file.fileno(), 0, file.tell() + size)
                else:
                    file.truncate(file.tell() + size)
            os.replace(partial, path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise OSError(f"cannot make '{path}' of {size / 2**20:.0f} MiB ({error.strerror}): free space on that disk, "
                          'choose another folder, or ask for fewer clouds (clouds.num_clouds)') from error
        return cls(path)

    def __len__(self) -> int:
        return self.shape[0]

    def write(self, start: int, rows: np.ndarray) -> None:
        """Write consecutive rows from row ``start`` on."""
        data = memoryview(np.ascontiguousarray(rows, dtype=self.dtype).reshape(-1).view(np.uint8))
        offset = self._offset + start * self._row_bytes
        while data:
            written = os.pwrite(self._file(), data, offset)
            data, offset = data[written:], offset + written

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read rows ``start`` to ``stop`` (exclusive)."""
        rows = np.empty((max(min(stop, len(self)) - start, 0), *self.shape[1:]), self.dtype)
        if rows.size:
            os.preadv(self._file(), [rows.reshape(-1).view(np.uint8)], self._offset + start * self._row_bytes)
        return rows

    def take(self, indices: Iterable[int]) -> np.ndarray:
        """Read rows in any order."""
        indices = list(indices)
        rows = np.empty((len(indices), *self.shape[1:]), self.dtype)
        flat = rows.reshape(len(indices), -1).view(np.uint8)
        handle, offset, size = self._file(), self._offset, self._row_bytes
        for buffer, index in zip(flat, indices):
            os.preadv(handle, [buffer], offset + index * size)
        return rows

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
        if getattr(self, '_handle', None) is not None:
            os.close(self._handle)


def write_json(content: dict, path: Union[str, Path]) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of it."""
    partial = Path(f'{path}.partial')
    partial.write_text(json.dumps(content, indent=2) + '\n')
    os.replace(partial, path)


def read_manifest(folder: Union[str, Path]) -> dict:
    """Read an artifact's manifest.

    Raises:
        FileNotFoundError: Where the folder holds none.
        ValueError: Where it is unreadable, or the artifact was not finished.
    """
    path = Path(folder) / 'manifest.json'
    if not path.is_file():
        raise FileNotFoundError(f"'{folder}' holds no clouds: run tools/gen_pi.py CONFIG first")
    try:
        manifest = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"'{path}' is damaged ({error}): delete the folder and run tools/gen_pi.py CONFIG again") from error
    if not manifest.get('complete'):
        raise ValueError(f"the clouds in '{folder}' are not finished: run tools/gen_pi.py CONFIG again, it goes on where "
                         'it stopped')
    return manifest


def check_request(found: dict, asked: dict, folder: Union[str, Path]) -> None:
    """Compare what an artifact holds with what a config asks for.

    Raises:
        ValueError: Naming every entry that differs.
    """
    different = [f'{key} {found.get(key)!r}, asked for {value!r}' for key, value in asked.items() if found.get(key) != value]
    if different:
        raise ValueError(f"the artifact in '{folder}' was made for another config ({'; '.join(different)}): delete the "
                         'folder, or set vectorizer.checkpoint to a path in another one')
