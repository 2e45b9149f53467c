"""Samplers that decide which images, augmented how, make cloud number i, as a function of (seed, i) alone."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from topkd.utils.seed import seed_everything

Key = tuple[int, int, int]  # cloud, position in the cloud, index in the data set


class CloudSampler:
    """Yield the images of given clouds, passing over the data set as often as needed.

    Every pass is its own permutation of the data set, cut into full clouds. So any process can make any cloud, in any
    order, and gets the same one: that is what resuming and sharding rest on.

    Args:
        clouds (Sequence[int]): Numbers of the clouds to make.
        num_images (int): Images in the data set, N.
        num_points (int): Images of a cloud, n.
        seed (int): Seed of the permutations.

    Raises:
        ValueError: If the data set is smaller than one cloud.
    """

    def __init__(self, clouds: Sequence[int], num_images: int, num_points: int, seed: int) -> None:
        if num_images < num_points:
            raise ValueError(
                f'a cloud needs {num_points} images, the training set has {num_images}: set '
                'cloud.num_points to at most that'
            )
        self.clouds, self.num_images, self.num_points, self.seed = clouds, num_images, num_points, seed

    def __len__(self) -> int:
        return len(self.clouds)

    def __iter__(self) -> Iterator[list[Key]]:
        clouds_per_pass = self.num_images // self.num_points
        current = -1
        order: np.ndarray = np.empty(0, dtype=np.int64)
        for cloud in self.clouds:
            number, place = divmod(int(cloud), clouds_per_pass)
            if number != current:
                order = np.random.default_rng((self.seed, number)).permutation(self.num_images)
                current = number
            members = order[place * self.num_points : (place + 1) * self.num_points]
            yield [(int(cloud), position, int(index)) for position, index in enumerate(members)]


class CloudSeededDataset(Dataset):
    """Seed all random generators before an image is loaded and augmented, from the cloud and the place in it.

    Args:
        dataset (Dataset): Any data set of known length; one with ``__getitems__`` loads a cloud at once.
        seed (int): Seed of the augmentation.
    """

    def __init__(self, dataset: Any, seed: int) -> None:
        self.dataset, self.seed = dataset, seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitems__(self, keys: list[Key]) -> Any:
        if hasattr(self.dataset, '__getitems__'):
            seed_everything(self.seed, keys[0][0])
            return self.dataset.__getitems__([index for _, _, index in keys])
        return [self[key] for key in keys]

    def __getitem__(self, key: Key) -> Any:
        cloud, position, index = key
        seed_everything(self.seed, cloud, position)
        return self.dataset[index]
