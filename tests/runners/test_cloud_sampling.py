"""Cloud i is a function of (seed, i) and nothing else."""

import random

import numpy as np
import pytest
import torch

from topkd.runners.cloud_sampling import CloudSampler, CloudSeededDataset
from topkd.utils.seed import seed_everything


class Noisy:
    """A data set whose items are augmented from all three random generators."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        return index, random.random(), np.random.random(), torch.rand(()).item()


def members(clouds, seed=0, images=10, points=3):
    return [[index for _, _, index in keys] for keys in CloudSampler(clouds, images, points, seed)]


def test_every_pass_uses_an_image_at_most_once():
    clouds = members(range(9))
    for number in range(3):
        used = sum(clouds[3 * number : 3 * number + 3], [])
        assert len(set(used)) == 9
    assert clouds[0] != clouds[3]


def test_any_order_and_any_subset_give_the_same_clouds():
    everything = members(range(9))
    assert members([7, 2, 5]) == [everything[7], everything[2], everything[5]]
    assert members(range(9), seed=1) != everything


def test_cloud_larger_than_the_data_set():
    with pytest.raises(ValueError, match='a cloud needs 11 images, the training set has 10: set cloud.num_points'):
        CloudSampler([0], 10, 11, 0)


def test_augmentation_depends_on_cloud_and_place_only():
    dataset = CloudSeededDataset(Noisy(), seed=3)
    first = dataset.__getitems__([(4, 0, 7), (4, 1, 7)])
    seed_everything(99)
    assert dataset.__getitems__([(4, 0, 7), (4, 1, 7)]) == first
    assert first[0] != first[1]
    assert dataset[(5, 0, 7)] != first[0]


def test_batched_data_sets_are_seeded_once_a_cloud():

    class Batched(Noisy):
        def __getitems__(self, indices):
            return indices, torch.rand(2)

    dataset = CloudSeededDataset(Batched(), seed=3)
    indices, noise = dataset.__getitems__([(4, 0, 7), (4, 1, 2)])
    assert indices == [7, 2]
    assert torch.equal(dataset.__getitems__([(4, 0, 7), (4, 1, 2)])[1], noise)
