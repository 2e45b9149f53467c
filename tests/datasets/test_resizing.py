"""Resizing equals Pillow's, which published evaluations use."""

import numpy as np
import pytest
import torch
from image_folders import picture
from PIL import Image

from topkd.datasets.resizing import check_size, resize


@pytest.mark.parametrize('height, width, size', [(96, 96, 32), (64, 64, 32), (50, 70, 33), (16, 16, 32)])
def test_pixels_are_pillows(height, width, size):
    noise = np.random.RandomState(0).randint(0, 256, (height, width, 3)).astype(np.uint8)
    for image in (picture(3, 0, height, width), noise):
        expected = np.array(Image.fromarray(image).resize((size, size), Image.BILINEAR)).astype(int)
        ours = resize(torch.from_numpy(image).permute(2, 0, 1)[None], size)
        assert ours.dtype == torch.uint8 and ours.shape == (1, 3, size, size)
        # Pillow computes in fixed point
        assert np.abs(ours[0].permute(1, 2, 0).numpy().astype(int) - expected).max() <= 1


def test_the_same_size_is_the_same_tensor():
    images = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    assert resize(images, None) is images and resize(images, 8) is images


@pytest.mark.parametrize('size', [0, -1, 2.5, True, '32'])
def test_sizes_that_are_none(size):
    with pytest.raises(ValueError, match='expected size to be a positive number of pixels or None, got'):
        check_size(size)
