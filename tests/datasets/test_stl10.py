"""STL-10 on written binary files: pixels where they belong, labels from 0, and errors that say what is wrong."""

import numpy as np
import pytest
import torch
from image_folders import STL10_CLASSES, write_stl10
from PIL import Image

from topkd.datasets import STL10


@pytest.fixture
def written(tmp_path):
    return write_stl10(tmp_path, dict(train=12, test=7))


def test_pixels_and_labels_are_what_was_written(written, tmp_path):
    for split, (images, labels) in written.items():
        data = STL10(tmp_path, split=split)
        assert data.images.dtype == torch.uint8 and data.images.shape == (len(labels), 3, 96, 96)
        np.testing.assert_array_equal(data.images.permute(0, 2, 3, 1).numpy(), images)
        assert data.labels.tolist() == labels.tolist()
        assert data.metainfo['classes'] == tuple(STL10_CLASSES)


def test_files_are_column_major(tmp_path):
    """Byte 96 c + r of a channel is row r of column c: the official description."""
    write_stl10(tmp_path, dict(train=1))
    content = np.zeros((3, 96, 96), np.uint8)
    content[1, 5, 9] = 200  # channel 1, column 5, row 9 in the order of the file
    (tmp_path / 'stl10_binary' / 'train_X.bin').write_bytes(content.tobytes())
    image = STL10(tmp_path)[0]['inputs']
    assert image[1, 9, 5] == 200 and image.sum() == 200


def test_resized_images_are_pillows(written, tmp_path, monkeypatch):
    monkeypatch.setattr('topkd.datasets.stl10.CHUNK', 5)  # 12 images are three chunks, the last one shorter
    data = STL10(tmp_path / 'stl10_binary', size=32)
    assert data.images.shape == (12, 3, 32, 32)
    for image, ours in zip(written['train'][0], data.images):
        expected = np.array(Image.fromarray(image).resize((32, 32), Image.BILINEAR)).astype(int)
        assert np.abs(ours.permute(1, 2, 0).numpy().astype(int) - expected).max() <= 1


def test_subset_and_count(written, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('topkd.datasets.in_memory.print_log', lambda text, *args, **kwargs: said.append(text))
    assert STL10(tmp_path, indices=3).labels.tolist() == [0, 1, 2]
    assert 'holds 12 images of the train split, the official one has 5000' in said[0]


@pytest.mark.parametrize(
    'name, content, message',
    [
        ('train_X.bin', b'12', 'to hold 12 images of 27648 bytes, one a label, got 2 bytes'),
        ('train_y.bin', b'', 'labels from 1 to 10, got none'),
        ('train_y.bin', bytes([1, 11]), 'labels from 1 to 10, got 1 to 11'),
        ('train_y.bin', bytes([0, 1]), 'labels from 1 to 10, got 0 to 1'),
        ('train_y.bin', bytes([1] * 13), 'to hold 13 images'),
        ('class_names.txt', b'cat dog', 'to hold 10 names, got 2'),
    ],
)
def test_broken_files(written, tmp_path, name, content, message):
    (tmp_path / 'stl10_binary' / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        STL10(tmp_path)


def test_missing_files_and_bad_arguments(written, tmp_path):
    with pytest.raises(ValueError, match="expected split 'train' or 'test', got 'unlabeled'"):
        STL10(tmp_path, split='unlabeled')
    with pytest.raises(ValueError, match='positive number of pixels'):
        STL10(tmp_path, size=0)
    (tmp_path / 'stl10_binary' / 'test_y.bin').unlink()
    with pytest.raises(FileNotFoundError, match=r'got no test_y\.bin: unpack stl10_binary\.tar\.gz'):
        STL10(tmp_path, split='test')
    with pytest.raises(
        FileNotFoundError, match=r'none, got no train_X\.bin and no train_y\.bin and no class_names\.txt'
    ):
        STL10(tmp_path / 'none')
