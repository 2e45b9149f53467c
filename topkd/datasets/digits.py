"""scikit-learn's handwritten digits: an image set that needs no download."""

import numpy as np
import torch
import torch.nn.functional as F

from topkd.datasets.in_memory import Indices, InMemoryImages
from topkd.registry import DATASETS

TEST_SHARE = 0.2
SPLIT_SEED = 0
MAX_GREY = 16  # The digits count the dark pixels of 4 x 4 blocks.


@DATASETS.register_module()
class Digits(InMemoryImages):
    """Read a split of scikit-learn's 1,797 digits, gray 8 x 8 images of 10 classes, as RGB images.

    The split is fixed and stratified: of every class a random fifth (seeded, the same on every machine) is the test
    split. Grey values 0..16 become 0..255 and are repeated in the three channels.

    Args:
        split (str): 'train' (about 80 %) or 'test'.
        indices (Indices, optional): Keep the first ``indices`` samples, or those of a list of positions; None keeps
            all.
        image_size (int): Height and width of the images; other than 8, they are resized once in memory.
        interpolation (str): 'bilinear' or 'nearest', used for resizing.

    Raises:
        ValueError: If an argument is out of range.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI repository, 1998.
    """

    def __init__(
        self, split: str = 'train', indices: Indices | None = None, image_size: int = 8, interpolation: str = 'bilinear'
    ):
        if split not in ('train', 'test'):
            raise ValueError(f"expected split 'train' or 'test', got {split!r}")
        if not isinstance(image_size, int) or image_size < 1:
            raise ValueError(f'expected image_size to be a positive number of pixels, got {image_size!r}')
        if interpolation not in ('bilinear', 'nearest'):
            raise ValueError(f"expected interpolation 'bilinear' or 'nearest', got {interpolation!r}")
        from sklearn.datasets import load_digits  # Takes a second to import, which only this data set should cost.

        digits = load_digits()
        chosen = split_positions(digits.target, split)
        gray = torch.from_numpy(digits.images[chosen]).float().unsqueeze(1) * (255 / MAX_GREY)
        if image_size != 8:
            gray = F.interpolate(gray, size=(image_size, image_size), mode=interpolation)
        images = gray.round().to(torch.uint8).repeat(1, 3, 1, 1)
        labels = torch.from_numpy(digits.target[chosen]).long()
        super().__init__(images, labels, classes=[str(name) for name in digits.target_names], indices=indices)


def split_positions(target: np.ndarray, split: str) -> np.ndarray:
    """Choose a fixed stratified split: a random fifth of every class is 'test', the rest 'train'.

    Args:
        target (np.ndarray): Class numbers (N,).
        split (str): 'train' or 'test'.

    Returns:
        np.ndarray: Ascending positions of the split.
    """
    random = np.random.RandomState(SPLIT_SEED)  # Its stream is frozen across NumPy versions, a Generator's is not.
    is_test = np.zeros(len(target), dtype=bool)
    for number in np.unique(target):
        members = random.permutation(np.flatnonzero(target == number))
        is_test[members[: round(TEST_SHARE * len(members))]] = True
    return np.flatnonzero(is_test if split == 'test' else ~is_test)
