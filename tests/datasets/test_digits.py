"""The digits: content against scikit-learn, a fixed stratified split, resizing."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from topkd.datasets import Digits


def test_the_splits_are_the_whole_set_and_disjoint():
    train, test = Digits('train'), Digits('test')
    assert (len(train), len(test)) == (1438, 359)
    theirs = np.sort(np.round(load_digits().images.reshape(1797, 64) * 255 / 16) @ np.arange(64))
    ours = torch.cat([train.images, test.images])[:, 0].reshape(1797, 64).numpy().astype(np.float64)
    assert np.array_equal(np.sort(ours @ np.arange(64)), theirs)
    assert train.images.shape[1:] == (3, 8, 8) and train.images.max() == 255
    assert torch.equal(train.images[:, 0], train.images[:, 2])
    assert train.metainfo['classes'] == tuple('0123456789')


def test_the_split_is_stratified_and_fixed():
    counts = np.bincount(load_digits().target)
    test = Digits('test')
    assert test.labels.bincount().tolist() == [round(0.2 * count) for count in counts]
    # Golden values of this split, from its first version: a changed split would change every published figure.
    assert test.labels[:8].tolist() == [3, 7, 3, 9, 0, 8, 7, 0]
    assert int(test.images.sum(dtype=torch.int64)) == 5330133


def test_enlargement():
    small, nearest = Digits('test', indices=5), Digits('test', indices=5, image_size=32, interpolation='nearest')
    assert torch.equal(nearest.images, small.images.repeat_interleave(4, 2).repeat_interleave(4, 3))
    smooth = Digits('test', indices=5, image_size=16)
    assert smooth.images.shape == (5, 3, 16, 16)
    # Bilinear with half-pixel centers: 3/4 and 1/4 of neighbors, here along the upper edge.
    row = small.images[0, 0, 0].double()
    expected = 0.75 * row[2] + 0.25 * row[3]
    assert abs(smooth.images[0, 0, 0, 5].item() - expected.item()) <= 1
    assert torch.equal(smooth.labels, small.labels)


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(split='val'), "expected split 'train' or 'test', got 'val'"),
        (dict(image_size=0), 'expected image_size to be a positive number of pixels, got 0'),
        (dict(interpolation='cubic'), "expected interpolation 'bilinear' or 'nearest', got 'cubic'"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        Digits(**kwargs)
