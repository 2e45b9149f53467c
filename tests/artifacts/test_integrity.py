"""Damaged arrays are found, said and made again."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from topkd.artifacts.array_file import ArrayFile
from topkd.artifacts.integrity import damage, first_not_finite, record


@pytest.fixture
def path(tmp_path):
    """Write an array (5, 3)."""
    ArrayFile.create(tmp_path / 'a.npy', (5, 3)).write(0, np.arange(15, dtype=np.float32).reshape(5, 3))
    return tmp_path / 'a.npy'


def test_the_checksum_is_sha256sums(path):
    assert record(path) == dict(size=188, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def test_every_kind_of_damage(path):
    recorded, good = record(path), path.read_bytes()
    assert damage(path, (5, None), np.float32, recorded) is None
    assert damage(path, (6, 3), np.float32) == 'it must hold 6 x 3 numbers of type float32, got 5 x 3 of type float32'
    assert damage(path, (5, 3), np.uint8).endswith('numbers of type uint8, got 5 x 3 of type float32')
    assert damage(path, (15,), np.float32).startswith('it must hold 15 numbers')
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert damage(path, (5, 3), np.float32) is None
    assert damage(path, (5, 3), np.float32, recorded) == 'its content is not what tools/gen_pi.py wrote'
    path.write_bytes(good[:-4])
    assert damage(path, (5, 3), np.float32) == f"'{path}' is cut short: expected 188 bytes, got 184"
    np.save(path, np.asfortranarray(np.zeros((5, 3), np.float32)))
    assert damage(path, (5, 3), np.float32) == (
        f"'{path}' is not a complete array (its numbers are not stored row by row)"
    )
    path.unlink()
    assert damage(path, (5, 3), np.float32) == 'it is missing'


def test_numbers_that_are_not_finite(path):
    assert first_not_finite(path) is None
    ArrayFile(path).write(3, np.array([[0, np.inf, 0]], np.float32))
    assert first_not_finite(path) == 3


def test_a_file_that_shrinks_while_it_is_read_is_an_error_and_no_garbage(path):
    file = ArrayFile(path)
    os.truncate(path, path.stat().st_size - 8)
    for read in (lambda: file.read(0, 5), lambda: file.take([0, 4])):
        with pytest.raises(ValueError, match='became shorter while it was read: run tools/gen_pi.py again'):
            read()
    assert file.take([0, 3]).tolist() == [[0, 1, 2], [9, 10, 11]]


def test_reads_of_more_than_the_system_gives_at_once(path, monkeypatch):
    original = os.preadv
    monkeypatch.setattr(os, 'preadv', lambda file, buffers, offset: original(file, [buffers[0][:5]], offset))
    assert np.array_equal(ArrayFile(path).read(1, 5), np.load(path)[1:5])


def test_a_full_disk_in_the_middle(path, monkeypatch):
    def full(*arguments):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'pwrite', full)
    with pytest.raises(
        OSError, match=rf"cannot write '{path}' \(No space left on device\): free space .* goes on where"
    ):
        ArrayFile(Path(path)).write(0, np.zeros((1, 3)))
