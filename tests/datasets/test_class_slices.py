"""Slices of every class that do not depend on the order of a file."""

import hashlib

import pytest
import torch

from topkd.datasets.class_slices import class_slice


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (40, 3, 4, 4), generator=generator, dtype=torch.uint8)
    return pixels, torch.arange(40) % 4


def test_ranks_are_those_of_the_digests(images):
    pixels, labels = images
    found = class_slice(pixels, labels, 2, 5, seed=7)
    assert labels[found].tolist() == [0, 1, 2, 3] * 3
    for label in range(4):
        own = [number for number in range(40) if labels[number] == label]
        own.sort(key=lambda number: hashlib.sha256(b'7:' + bytes(pixels[number].flatten().tolist())).hexdigest())
        assert [number for number in found if labels[number] == label] == own[2:5]


def test_another_order_of_the_file_gives_the_same_images_in_the_same_order(images):
    pixels, labels = images
    shuffled = torch.randperm(40, generator=torch.Generator().manual_seed(1))
    found, again = class_slice(pixels, labels, 0, 3), class_slice(pixels[shuffled], labels[shuffled], 0, 3)
    assert torch.equal(pixels[found], pixels[shuffled][again]) and found != again


def test_disjoint_ranks_are_disjoint_and_seeds_differ(images):
    parts = [set(class_slice(*images, begin, begin + 5)) for begin in (0, 5)]
    assert not parts[0] & parts[1] and parts[0] | parts[1] == set(range(40))
    assert set(class_slice(*images, 0, 5, seed=1)) != parts[0]


def test_what_cannot_be_cut_is_refused(images):
    for begin, end in ((3, 3), (-1, 2)):
        with pytest.raises(ValueError, match=f'begin below end, got {begin} to {end}: correct per_class'):
            class_slice(*images, begin, end)
    with pytest.raises(ValueError, match='up to rank 11 of every class, class 0 has 10: lower it'):
        class_slice(*images, 0, 11)
