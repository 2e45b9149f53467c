"""The restricted unpickler: arrays of every origin pass, code does not."""

import os
import pickle

import numpy as np
import pytest

from topkd.datasets.numpy_pickle import load_arrays


class Python2Pickler(pickle._Pickler):
    """Write text and bytes as Python 2 did: both as its one ``str`` type."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_str(self, value):
        value = value.encode() if isinstance(value, str) else value
        self.write(pickle.BINSTRING + len(value).to_bytes(4, 'little') + value)

    dispatch[bytes] = save_str
    dispatch[str] = save_str


@pytest.mark.parametrize('protocol', [0, 2, 4, 5])
def test_arrays_of_python_3_pass(tmp_path, protocol):
    entry = dict(data=np.arange(6, dtype=np.uint8).reshape(2, 3), fine_labels=[np.int64(3), 4], name='é')
    (tmp_path / 'file').write_bytes(pickle.dumps(entry, protocol))
    loaded = load_arrays(tmp_path / 'file')
    assert np.array_equal(loaded['data'], entry['data']) and loaded['data'].dtype == np.uint8
    assert loaded['fine_labels'] == [3, 4] and loaded['name'] == 'é'


def test_arrays_of_python_2_pass_with_bytes_keys(tmp_path):
    with open(tmp_path / 'file', 'wb') as file:
        Python2Pickler(file, protocol=2).dump(dict(data=np.arange(250, 256, dtype=np.uint8).reshape(2, 3)))
    content = (tmp_path / 'file').read_bytes()
    # NumPy 1 had the array's constructor in a module of another name.
    (tmp_path / 'file').write_bytes(content.replace(b'numpy._core.multiarray', b'numpy.core.multiarray'))
    loaded = load_arrays(tmp_path / 'file')
    assert list(loaded) == [b'data'] and loaded[b'data'].tolist() == [[250, 251, 252], [253, 254, 255]]


class Attack:
    """An object whose unpickling would run a command."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f'touch {self.path}',)


def test_code_is_refused_and_not_run(tmp_path):
    (tmp_path / 'file').write_bytes(pickle.dumps(dict(data=Attack(tmp_path / 'harm'))))
    with pytest.raises(ValueError, match='it asks for .*system, only NumPy arrays are allowed'):
        load_arrays(tmp_path / 'file')
    assert not (tmp_path / 'harm').exists()


@pytest.mark.parametrize('content', [b'', b'not a pickle', pickle.dumps(dict(data=np.zeros(9)))[:-30]])
def test_broken_files_are_named(tmp_path, content):
    (tmp_path / 'train').write_bytes(content)
    with pytest.raises(ValueError, match='expected .*train to be a pickle of NumPy arrays, got a truncated'):
        load_arrays(tmp_path / 'train')
