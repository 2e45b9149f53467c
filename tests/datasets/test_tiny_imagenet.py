"""Tiny-ImageNet on a written folder: classes in the order of wnids.txt, pixels as Pillow decodes them."""

import numpy as np
import pytest
import torch
from image_folders import picture, write_tiny_imagenet
from PIL import Image

from topkd.datasets import TinyImageNet

WNIDS = ['n03', 'n01', 'n02']


@pytest.fixture
def folder(tmp_path):
    return write_tiny_imagenet(tmp_path, WNIDS)


def decoded(path, size=None):
    image = Image.open(path).convert('RGB')
    return np.array(image if size is None else image.resize((size, size), Image.BILINEAR)).astype(int)


def test_training_images(folder, tmp_path):
    data = TinyImageNet(tmp_path)
    assert data.images.shape == (9, 3, 64, 64) and data.images.dtype == torch.uint8
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert data.metainfo['classes'] == ('n03', 'name of n01', 'name of n02')
    for number, image in enumerate(data.images):
        wnid = WNIDS[number // 3]
        path = folder / 'train' / wnid / 'images' / f'{wnid}_{number % 3}.JPEG'
        np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), decoded(path))
        # JPEG changed the written picture by little
        assert np.abs(decoded(path) - picture(number // 3, number % 3, 64, 64)).mean() < 4


def test_validation_images_follow_the_annotations(folder):
    data = TinyImageNet(folder, split='val', size=32)
    assert data.images.shape == (6, 3, 32, 32)
    # the file lists the images backwards
    assert data.labels.tolist() == [2, 2, 1, 1, 0, 0]
    for number, image in enumerate(data.images):
        expected = decoded(folder / 'val' / 'images' / f'val_{5 - number}.JPEG', 32)
        assert np.abs(image.permute(1, 2, 0).numpy().astype(int) - expected).max() <= 1


def test_grey_images_become_rgb(folder):
    path = folder / 'train' / 'n03' / 'images' / 'n03_0.JPEG'
    Image.open(path).convert('L').save(path)
    image = TinyImageNet(folder).images[0]
    assert torch.equal(image[0], image[1]) and torch.equal(image[0], image[2])


def test_subset_and_count(folder, monkeypatch):
    said = []
    monkeypatch.setattr('topkd.datasets.in_memory.print_log', lambda text, *args, **kwargs: said.append(text))
    assert TinyImageNet(folder, indices=[8, 0]).labels.tolist() == [2, 0]
    assert 'holds 9 images of the train split, the official one has 100000' in said[0]


def test_images_of_several_sizes_need_a_size(folder):
    path = folder / 'train' / 'n02' / 'images' / 'n02_1.JPEG'
    Image.open(path).resize((50, 60)).save(path)
    with pytest.raises(
        ValueError, match=r'images of one size, got \(64, 64\) for .*n03_0\.JPEG and \(60, 50\) for .*n02_1\.JPEG'
    ):
        TinyImageNet(folder)
    assert TinyImageNet(folder, size=32).images.shape == (9, 3, 32, 32)


def test_what_is_missing_or_broken(folder, tmp_path):
    with pytest.raises(ValueError, match="expected split 'train' or 'val', got 'test'"):
        TinyImageNet(folder, split='test')
    with pytest.raises(FileNotFoundError, match=r'got no wnids\.txt there: unpack tiny-imagenet-200\.zip'):
        TinyImageNet(tmp_path / 'none')
    annotations = folder / 'val' / 'val_annotations.txt'
    lines = annotations.read_text()
    annotations.write_text(lines + 'val_9.JPEG\tn77\t0\t0\t1\t1\n')
    with pytest.raises(ValueError, match=r'name an image and a class of wnids\.txt, got .val_9\.JPEG'):
        TinyImageNet(folder, split='val')
    annotations.write_text(lines + 'val_9.JPEG\tn01\t0\t0\t1\t1\n')
    with pytest.raises(FileNotFoundError, match=r'expected the image .*val_9\.JPEG, got no such file'):
        TinyImageNet(folder, split='val')
    annotations.unlink()
    with pytest.raises(FileNotFoundError, match=r'val_annotations\.txt, got no such file'):
        TinyImageNet(folder, split='val')
    (folder / 'train' / 'n03' / 'images' / 'n03_2.JPEG').write_bytes(b'no picture')
    with pytest.raises(ValueError, match=r'n03_2\.JPEG to be an image, got a file that cannot be decoded'):
        TinyImageNet(folder)
    (folder / 'wnids.txt').write_text('n03\nn04\n')
    with pytest.raises(FileNotFoundError, match=r'images of class n04 in .*n04/images, got no \*\.JPEG'):
        TinyImageNet(folder)
