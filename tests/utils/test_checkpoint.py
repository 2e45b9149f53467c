"""Checkpoint files: weights only, strict, atomic."""

import pickle

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from topkd.utils.checkpoint import (
    fingerprint,
    load_file,
    load_state,
    load_weights,
    save_file,
    use_safe_loader,
    weights_in,
)


class Evil:
    def __reduce__(self):
        return (print, ('code ran',))


def test_round_trip_with_mmengines_own_metadata(tmp_path):
    content = dict(
        state_dict=dict(a=torch.ones(2)), meta=dict(epoch=3), history=HistoryBuffer([1.0], [1]), best=np.float64(2.5)
    )
    save_file(content, tmp_path / 'folder' / 'a.pth')
    loaded = load_file(tmp_path / 'folder' / 'a.pth')
    assert torch.equal(loaded['state_dict']['a'], torch.ones(2)) and loaded['best'] == 2.5
    assert [path.name for path in (tmp_path / 'folder').iterdir()] == ['a.pth']


@pytest.mark.parametrize('weights', [[1, 2], {}, {0: torch.ones(1)}, dict(a=1), None])
def test_weights_that_are_none(weights):
    with pytest.raises(ValueError, match='the file holds no weights: name the checkpoint of a network'):
        weights_in(dict(state_dict=weights), 'the file')


def test_code_in_a_checkpoint_does_not_run(tmp_path, capsys):
    torch.save(dict(state_dict=Evil()), tmp_path / 'evil.pth')
    with pytest.raises(ValueError, match='cannot be read as a checkpoint of weights'):
        load_file(tmp_path / 'evil.pth')
    (tmp_path / 'evil.pkl').write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match='cannot be read as a checkpoint of weights'):
        load_file(tmp_path / 'evil.pkl')
    assert 'code ran' not in capsys.readouterr().out


class Reach:
    """Reaches for something through getattr, which MMEngine's own list allows."""

    def __reduce__(self):
        return (getattr, (HistoryBuffer, '__init__'))


def test_getattr_serves_log_buffers_only(tmp_path):
    torch.save(dict(state_dict=Reach()), tmp_path / 'reach.pth')
    with pytest.raises(ValueError, match="asks for the attribute '__init__'"):
        load_file(tmp_path / 'reach.pth')


@pytest.mark.parametrize('data', [b'', b'root:x:0:0:root:/root:/bin/bash\n', bytes(range(256))])
def test_bytes_that_are_no_checkpoint(tmp_path, data):
    (tmp_path / 'a.pth').write_bytes(data)
    with pytest.raises(ValueError, match='cannot be read as a checkpoint of weights'):
        load_file(tmp_path / 'a.pth')


def test_mmengine_reads_by_the_same_rules(tmp_path):
    torch.save(dict(state_dict=Evil()), tmp_path / 'evil.pth')
    use_safe_loader()
    with pytest.raises(ValueError, match='cannot be read as a checkpoint of weights'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'evil.pth'))


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / 'a').write_text('')
    with pytest.raises(OSError, match="cannot write '.*a/b.pth'"):
        save_file(dict(a=1), tmp_path / 'a' / 'b.pth')


def test_half_a_file(tmp_path):
    save_file(dict(a=torch.rand(1000)), tmp_path / 'a.pth')
    data = (tmp_path / 'a.pth').read_bytes()
    (tmp_path / 'a.pth').write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match='it is cut short, of another format'):
        load_file(tmp_path / 'a.pth')


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="checkpoint 'nowhere.pth' does not exist: correct the path"):
        load_file('nowhere.pth')
    torch.save([1], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match='holds a list, expected a dict of weights'):
        load_file(tmp_path / 'list.pth')


def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    save_file(dict(a=1), tmp_path / 'a.pth')

    def full(content, path):
        path.write_bytes(b'half')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(torch, 'save', full)
    with pytest.raises(OSError, match='cannot write .*No space left on device.*free space.*unchanged'):
        save_file(dict(a=2), tmp_path / 'a.pth')
    monkeypatch.undo()
    assert load_file(tmp_path / 'a.pth') == dict(a=1)
    assert [path.name for path in tmp_path.iterdir()] == ['a.pth']


def test_weights_that_do_not_fit_are_listed(tmp_path):
    save_file(dict(state_dict={'weight': torch.zeros(2, 2), 'extra': torch.zeros(1)}), tmp_path / 'a.pth')
    with pytest.raises(
        ValueError,
        match=r'teacher: .* does not fit Linear \(1 missing: bias; 1 unexpected: extra; '
        r'1 of another shape: weight \(2, 2\) instead of \(3, 2\)\).*convert_checkpoint',
    ):
        load_weights(nn.Linear(2, 3), tmp_path / 'a.pth', 'teacher')


def test_weights_load_completely_with_or_without_wrapper(tmp_path):
    source, target = nn.Linear(2, 3), nn.Linear(2, 3)
    for content in (source.state_dict(), dict(state_dict=source.state_dict())):
        target.reset_parameters()
        save_file(content, tmp_path / 'a.pth')
        load_weights(target, tmp_path / 'a.pth')
        assert torch.equal(source.weight, target.weight)


def test_fingerprint_is_that_of_the_weights():
    first, second = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    assert fingerprint(first) == fingerprint(second)
    second.num_batches_tracked += 1
    assert fingerprint(first) == fingerprint(second)
    second.running_mean += 1e-6
    assert fingerprint(first) != fingerprint(second)


def test_a_text_is_not_said_to_hold_objects(tmp_path):
    path = tmp_path / 'config.py'
    path.write_text('custom_hooks = [dict(a=1)]\nmodel = dict(type=1)\n')
    with pytest.raises(
        ValueError, match=r'cannot be read as a checkpoint of weights \(UnpicklingError on reading it\)'
    ):
        load_file(str(path))


@pytest.mark.parametrize(
    'data, remedy',
    [
        (b'version https://git-lfs.github.com/spec/v1\noid sha256:0\n', 'fetch that by git lfs pull'),
        (b'\n<!DOCTYPE html><html></html>', 'it is a web page; download the file itself'),
    ],
)
def test_files_in_the_place_of_a_checkpoint(tmp_path, data, remedy):
    (tmp_path / 'a.pth').write_bytes(data)
    with pytest.raises(ValueError, match=remedy):
        load_file(tmp_path / 'a.pth')


def test_keys_that_are_no_names(tmp_path):
    torch.save({1: torch.zeros(1)}, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='holds no weights: name the checkpoint of a network'):
        load_state(tmp_path / 'a.pth')


@pytest.mark.parametrize('dtype', [torch.int32, torch.complex64])
def test_weights_that_are_other_numbers(tmp_path, dtype):
    model = nn.Linear(2, 1)
    weights = {key: value.to(dtype) for key, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=rf'2 of other numbers: weight {dtype} instead of torch.float32'):
        load_weights(model, 'a.pth', weights=weights)
    load_weights(model, 'a.pth', weights={key: value.half() for key, value in model.state_dict().items()})
