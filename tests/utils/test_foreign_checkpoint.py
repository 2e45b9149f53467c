"""Foreign files: every container and prefix, numpy beside the weights, and no code from the file is run."""

import argparse
import os
import pickle

import numpy as np
import pytest
import torch

from topkd.utils.foreign_checkpoint import read_foreign, split_weights

WEIGHTS = {'conv1.weight': torch.arange(4.0), 'fc.bias': torch.ones(2)}


def read(tmp_path, content, **kwargs):
    path = str(tmp_path / 'source.pth')
    torch.save(content, path, **kwargs)
    return split_weights(read_foreign(path))


@pytest.mark.parametrize('prefix', ['', 'module.', 'model.', 'module.model.', 'model.module.'])
@pytest.mark.parametrize('container', [None, 'model', 'model_s', 'state_dict'])
def test_containers_and_prefixes(tmp_path, container, prefix):
    content = {prefix + key: value for key, value in WEIGHTS.items()}
    weights, beside = read(tmp_path, content if container is None else {container: content, 'epoch': 240})
    assert list(weights) == list(WEIGHTS)
    assert all(torch.equal(weights[key], WEIGHTS[key]) for key in WEIGHTS)
    assert beside == ({} if container is None else {'epoch': 240})


@pytest.mark.parametrize('legacy', [False, True])
def test_values_beside_the_weights(tmp_path, legacy):
    """RepDistiller keeps its options and a tensor of the accuracy, TopKD a numpy scalar and the optimizer."""
    options = argparse.Namespace(model='resnet20', lr=0.05, decay=[150, 180])
    content = dict(
        model=WEIGHTS,
        opt=options,
        accuracy=torch.tensor(72.5),
        best_acc=np.float64(73.5),
        top5=np.float32(0.5),
        epoch=np.int64(240),
        best=np.bool_(True),
        note='last',
        optimizer=dict(state={0: dict(momentum_buffer=torch.ones(2))}, param_groups=[dict(lr=0.05)]),
    )
    weights, beside = read(tmp_path, content, _use_new_zipfile_serialization=not legacy)
    assert list(weights) == list(WEIGHTS)
    assert beside == dict(accuracy=72.5, best_acc=73.5, top5=0.5, epoch=240, best=True, note='last')
    assert {type(value) for value in beside.values()} == {float, int, bool, str}


def test_numpy_scalar_among_the_weights(tmp_path):
    weights, beside = read(tmp_path, {**WEIGHTS, 'acc': np.float64(72.25)})
    assert list(weights) == list(WEIGHTS) and beside == {'acc': 72.25}


@pytest.mark.parametrize('module', [b'numpy.core.multiarray', b'numpy._core.multiarray'])
def test_numpy_scalar_by_both_paths(tmp_path, module):
    """A file names numpy's function by the path of the numpy that wrote it: numpy 1 or numpy 2."""
    path = tmp_path / 'source.pth'
    torch.save(dict(model=WEIGHTS, acc=np.float64(1.5)), path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    written = np.float64(0).__reduce__()[0].__module__.encode()
    assert data.count(b'c' + written + b'\nscalar\n') == 1
    path.write_bytes(data.replace(b'c' + written + b'\n', b'c' + module + b'\n'))
    assert split_weights(read_foreign(str(path)))[1] == {'acc': 1.5}


class Payload:
    def __reduce__(self):
        return os.mkdir, ('must-not-exist',)


def test_code_in_a_file_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(model=WEIGHTS, extra=Payload()), 'source.pth')
    with pytest.raises(
        ValueError, match="'source.pth' is not a checkpoint of weights alone .it holds posix.mkdir.: name"
    ):
        read_foreign('source.pth')
    assert not os.path.exists('must-not-exist')


def test_builtins_are_out_of_reach(tmp_path):
    """MMEngine allows getattr, and getattr.__self__ is the module of all builtins: a file could replace them."""
    path = tmp_path / 'source.pth'
    path.write_bytes(b'\x80\x02cbuiltins\ngetattr\n(cbuiltins\ngetattr\nX\x08\x00\x00\x00__self__tR.')
    with pytest.raises(ValueError, match='is not a checkpoint of weights alone .the file asks for the attribute'):
        read_foreign(str(path))


def test_whole_module_is_named(tmp_path):
    torch.save(dict(model=torch.nn.Linear(1, 1)), tmp_path / 'source.pth')
    with pytest.raises(ValueError, match='it holds torch.nn.modules.linear.Linear.: name a file .* state_dict'):
        read_foreign(str(tmp_path / 'source.pth'))


@pytest.mark.parametrize('data', [b'', b'# just a text\n', b'qqqq', bytes(range(256)) * 8, pickle.dumps([1, 2], 2)])
def test_what_is_no_checkpoint(tmp_path, data):
    path = tmp_path / 'source.pth'
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"'{path}' is not a checkpoint of weights alone"):
        read_foreign(str(path))


def test_cut_file(tmp_path):
    path = tmp_path / 'source.pth'
    torch.save(dict(model=WEIGHTS), path)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(ValueError, match=f"'{path}' is not a checkpoint of weights alone"):
        read_foreign(str(path))


def test_something_else_that_was_saved(tmp_path):
    torch.save([torch.ones(1)], tmp_path / 'source.pth')
    with pytest.raises(ValueError, match="source.pth' holds a list, expected a dict of weights: name a file with"):
        read_foreign(str(tmp_path / 'source.pth'))


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="'no.pth' is not a file: name an existing checkpoint"):
        read_foreign('no.pth')
    with pytest.raises(FileNotFoundError, match='is not a file'):
        read_foreign(str(tmp_path))


def test_no_weights():
    with pytest.raises(ValueError, match='expected tensors by name, .*, got none: name a file'):
        split_weights(dict(model={}))
    with pytest.raises(ValueError, match=r'got optimizer \(dict\), best \(NoneType\), 3 \(Tensor\): name a file'):
        split_weights({'optimizer': {}, 'best': None, 3: torch.ones(1), 'conv1.weight': torch.ones(1)})


def test_two_weights_of_one_name():
    with pytest.raises(ValueError, match="'module.fc.bias' is a second 'fc.bias' once the prefixes of wrappers"):
        split_weights({'fc.bias': torch.ones(2), 'module.fc.bias': torch.ones(2)})
