"""Arrays that are read and written by rows."""

import os
import pickle

import numpy as np
import pytest

from topkd.artifacts.array_file import ArrayFile


def test_array_file_is_a_npy_file(tmp_path):
    rows = np.random.default_rng(0).random((10, 3, 4)).astype(np.float32)
    file = ArrayFile.create(tmp_path / 'a.npy', rows.shape)
    assert not np.load(tmp_path / 'a.npy', mmap_mode='r').any()
    file.write(0, rows[:4])
    file.write(4, rows[4:])
    file.flush()
    assert np.array_equal(np.load(tmp_path / 'a.npy', mmap_mode='r'), rows)
    assert np.array_equal(file.read(8, 99), rows[8:])
    assert np.array_equal(file.take([7, 0, 7]), rows[[7, 0, 7]])
    assert np.array_equal(pickle.loads(pickle.dumps(file)).read(1, 2), rows[1:2])


def test_array_file_cut_short(tmp_path):
    ArrayFile.create(tmp_path / 'a.npy', (10, 3))
    size = os.path.getsize(tmp_path / 'a.npy')
    os.truncate(tmp_path / 'a.npy', size - 4)
    with pytest.raises(ValueError, match=f'is cut short: expected {size} bytes, got {size - 4}; delete its folder'):
        ArrayFile(tmp_path / 'a.npy')
    (tmp_path / 'a.npy').write_bytes(b'nonsense')
    with pytest.raises(ValueError, match='is not a complete array'):
        ArrayFile(tmp_path / 'a.npy')
    with pytest.raises(FileNotFoundError, match='make it with tools/gen_pi.py'):
        ArrayFile(tmp_path / 'b.npy')


def test_full_disk_is_noticed_before_the_work(tmp_path, monkeypatch):

    def full(*args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'posix_fallocate', full)
    with pytest.raises(OSError, match=r"cannot make '.*a.npy' of 16 MiB \(No space left on device\): free space"):
        ArrayFile.create(tmp_path / 'a.npy', (2**20, 4))
    assert list(tmp_path.iterdir()) == []
