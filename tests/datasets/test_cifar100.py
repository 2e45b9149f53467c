"""The CIFAR-100 reader on written folders, and on the real data where $TOPKD_CIFAR100 names it."""

import logging
import os
import pickle

import numpy as np
import pytest
import torch

import topkd.datasets.cifar100 as cifar100
from topkd.datasets import CIFAR100


def write_split(path, num_images=6, protocol=2, as_bytes=False, **changes):
    random = np.random.RandomState(num_images)
    entry = dict(
        data=random.randint(0, 256, (num_images, 3072)).astype(np.uint8),
        fine_labels=[int(label) for label in random.randint(0, 100, num_images)],
    )
    entry.update(changes)
    entry = {key: value for key, value in entry.items() if value is not None}
    if as_bytes:
        entry = {key.encode(): value for key, value in entry.items()}
    path.write_bytes(pickle.dumps(entry, protocol))
    return entry


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / 'cifar-100-python'
    folder.mkdir()
    write_split(folder / 'train', 6)
    write_split(folder / 'test', 4)
    names = dict(fine_label_names=[f'name {number}' for number in range(100)])
    (folder / 'meta').write_bytes(pickle.dumps(names, 2))
    return folder


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    monkeypatch.setattr(cifar100, 'download_cifar100', lambda target: pytest.fail('tried to download'))


@pytest.mark.parametrize('as_bytes', [False, True])
def test_pixels_are_channel_first_rgb_rows(folder, as_bytes):
    # A value that tells its channel, row and column: 100 c + y + x.
    channel, row, column = np.meshgrid([0, 1, 2], range(32), range(32), indexing='ij')
    image = (70 * channel + row + column).astype(np.uint8)
    write_split(folder / 'train', 2, as_bytes=as_bytes, data=np.stack([image.reshape(-1)] * 2), fine_labels=[7, 99])
    data = CIFAR100(folder)
    assert data.images.shape == (2, 3, 32, 32) and data.images.dtype == torch.uint8
    assert data[1]['inputs'][2, 5, 9].item() == 154 and data[1]['inputs'][0, 31, 0].item() == 31
    assert data.labels.tolist() == [7, 99]
    assert data.metainfo['classes'][99] == 'name 99'


def test_the_folder_or_its_parent_and_a_subset(folder):
    for root in (folder, folder.parent, str(folder.parent)):
        assert len(CIFAR100(root, split='train')) == 6 and len(CIFAR100(root, split='test')) == 4
    assert CIFAR100(folder, indices=2).labels.tolist() == CIFAR100(folder).labels[:2].tolist()
    renamed = folder.rename(folder.parent / 'mine')
    assert len(CIFAR100(renamed)) == 6


def test_a_subset_is_legal_with_a_warning(folder, monkeypatch):
    lines = []
    monkeypatch.setattr('topkd.datasets.in_memory.print_log', lambda text, logger, level: lines.append((text, level)))
    CIFAR100(folder)
    assert len(lines) == 1 and lines[0][1] == logging.WARNING
    assert 'holds 6 images of the train split, the official one has 50000' in lines[0][0]
    monkeypatch.setitem(cifar100.OFFICIAL_SIZE, 'train', 6)
    CIFAR100(folder)
    assert len(lines) == 1


BAD_SPLITS = [
    (dict(data=None), "train to hold the key 'data', got the keys \\['fine_labels'\\]"),
    (dict(fine_labels=None, coarse_labels=[1]), "the key 'fine_labels', got the keys \\['coarse_labels', 'data'\\]"),
    (dict(data=np.zeros((6, 3071), np.uint8)), "'data' to be uint8 of shape \\(N, 3072\\), got uint8 .*\\(6, 3071"),
    (dict(data=np.zeros((6, 3072), np.float32)), 'got float32 of shape \\(6, 3072\\)'),
    (dict(data=np.zeros(3072, np.uint8)), 'got uint8 of shape \\(3072,\\)'),
    (dict(data=[1, 2]), "'data' to be uint8 .* got list"),
    (dict(data=np.zeros((0, 3072), np.uint8), fine_labels=[]), 'at least one image, got none'),
    (dict(fine_labels=[1, 2]), "6 'fine_labels', one an image, got 2"),
    (dict(fine_labels='abcdef'), "6 'fine_labels', one an image, got str"),
    (dict(fine_labels=[0.5] * 6), "'fine_labels' to be whole numbers, got \\['float'\\]"),
    (dict(fine_labels=[0, 1, 2, 3, 4, 100]), 'labels from 0 to 99, got labels from 0 to 100'),
    (dict(fine_labels=[-1, 1, 2, 3, 4, 5]), 'labels from 0 to 99, got labels from -1 to 5'),
]


@pytest.mark.parametrize('changes, message', BAD_SPLITS)
def test_a_broken_split_is_named(folder, changes, message):
    write_split(folder / 'train', 6, **changes)
    with pytest.raises(ValueError, match=f"expected .*{message}.*: replace it by the official archive's file"):
        CIFAR100(folder)
    assert len(CIFAR100(folder, split='test')) == 4


def test_a_truncated_file_and_foreign_pickles_are_named(folder):
    content = (folder / 'train').read_bytes()
    (folder / 'train').write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match='expected .*train to be a pickle of NumPy arrays, got a truncated'):
        CIFAR100(folder)
    (folder / 'train').write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ValueError, match='expected .*train to hold a dict, got list'):
        CIFAR100(folder)
    (folder / 'meta').write_bytes(pickle.dumps(dict(fine_label_names=['one'])))
    with pytest.raises(ValueError, match="expected .*meta to hold 'fine_label_names' to be 100 names, got 1"):
        CIFAR100(folder, split='test')


def test_missing_files_are_named_with_what_to_do(folder, tmp_path):
    (folder / 'test').unlink()
    (folder / 'meta').unlink()
    message = 'expected the files train, test and meta .* got no test and no meta: fetch https.* and set data_root'
    # A half folder is the user's: nothing is downloaded over it.
    with pytest.raises(FileNotFoundError, match=message):
        CIFAR100(folder)
    with pytest.raises(FileNotFoundError, match='got no train and no test and no meta'):
        CIFAR100(tmp_path / 'nowhere', download=False)
    with pytest.raises(ValueError, match="expected split 'train' or 'test', got 'val'"):
        CIFAR100(folder, split='val')


def test_only_rank_0_downloads_and_all_ranks_meet(folder, monkeypatch):
    calls = []
    monkeypatch.setattr(cifar100, 'barrier', lambda: calls.append('barrier'))
    monkeypatch.setattr(cifar100, 'download_cifar100', lambda target: calls.append(target))
    monkeypatch.setattr(cifar100, 'is_main_process', lambda: False)
    with pytest.raises(FileNotFoundError, match='got no train'):
        CIFAR100(folder.parent / 'new')
    assert calls == ['barrier']
    monkeypatch.setattr(cifar100, 'is_main_process', lambda: True)
    with pytest.raises(FileNotFoundError, match='got no train'):
        CIFAR100(folder.parent / 'new')
    assert calls[1:] == [folder.parent / 'new' / 'cifar-100-python', 'barrier']
    CIFAR100(folder)
    assert calls[3:] == ['barrier']


@pytest.mark.skipif('TOPKD_CIFAR100' not in os.environ, reason='TOPKD_CIFAR100 does not name the real data')
def test_real_data_have_the_published_statistics():
    data = CIFAR100(os.environ['TOPKD_CIFAR100'], download=False)
    mean = (data.images.double() / 255).mean((0, 2, 3))
    assert torch.allclose(mean, torch.tensor([0.5071, 0.4867, 0.4408], dtype=torch.float64), atol=5e-4)
    assert data.labels.bincount().tolist() == [500] * 100
    test = CIFAR100(os.environ['TOPKD_CIFAR100'], split='test', download=False)
    assert test.labels.bincount().tolist() == [100] * 100


def test_slices_of_every_class(folder):
    write_split(folder / 'train', 6, fine_labels=[3, 5, 3, 5, 3, 5])
    first, second = CIFAR100(folder, per_class=(0, 2)), CIFAR100(folder, per_class=[2, 3])
    assert first.labels.tolist() == [3, 5, 3, 5] and second.labels.tolist() == [3, 5]
    both = torch.cat([first.images, second.images]).flatten(1)
    assert len(torch.unique(both, dim=0)) == 6
    with pytest.raises(ValueError, match='indices or per_class, got both'):
        CIFAR100(folder, indices=2, per_class=(0, 1))
