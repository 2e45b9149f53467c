"""What a sample draws depends on the seed, the epoch and its place, not on who loads it."""

import pickle
import random

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import DataLoader, Dataset

from topkd.datasets.seeded import SeededDataset, SeededIndex, SeededSampler


class Noisy(Dataset):
    """A data set whose samples draw from all three random generators."""

    pipeline = 'first'

    def __len__(self):
        return 10

    def __getitem__(self, index):
        assert type(index) is int
        return torch.tensor([index, random.random(), np.random.random(), torch.rand(()).item()])


def epoch(workers: int, number: int, seed: int = 3) -> torch.Tensor:
    dataset = SeededDataset(Noisy())
    sampler = SeededSampler(dataset, seed, dict(type='DefaultSampler', shuffle=True))
    sampler.set_epoch(number)
    return torch.cat(list(DataLoader(dataset, batch_size=3, sampler=sampler, num_workers=workers)))


def test_the_number_of_workers_does_not_matter():
    alone = epoch(0, 1)
    torch.manual_seed(99)
    assert torch.equal(epoch(2, 1), alone)
    # the same image elsewhere is augmented in another way
    other, reseeded = epoch(0, 2), epoch(0, 1, seed=4)
    assert torch.equal(other[:, 0].sort().values, alone[:, 0].sort().values)
    assert not set(other[:, 1].tolist()) & set(alone[:, 1].tolist())
    assert not set(reseeded[:, 1].tolist()) & set(alone[:, 1].tolist())


def test_samples_are_drawn_in_the_other_samplers_order():
    sampler = SeededSampler(range(10), 5, dict(type='DefaultSampler', shuffle=True))
    reference = DefaultSampler(range(10), shuffle=True, seed=5)
    for number in (0, 1):
        sampler.set_epoch(number), reference.set_epoch(number)
        assert list(sampler) == list(reference) and len(sampler) == 10
    assert next(iter(sampler)).entropy == (5, 2, 1, 0, 0)


def test_places_go_on_where_samples_were_skipped():
    if not hasattr(InfiniteSampler, 'skip'):
        pytest.skip('this MMEngine steps through the samples instead')
    whole = SeededSampler(range(10), 5, dict(type='InfiniteSampler', shuffle=True))
    resumed = SeededSampler(range(10), 5, dict(type='InfiniteSampler', shuffle=True))
    resumed.skip(13)
    expected = [index for index, _ in zip(whole, range(20))][13:]
    got = [index for index, _ in zip(resumed, range(7))]
    assert got == expected and [index.entropy for index in got] == [index.entropy for index in expected]


def test_a_batched_data_set_is_seeded_once_a_batch():
    class Batched(Noisy):
        def __getitems__(self, indices):
            return indices, torch.rand(2)

    dataset = SeededDataset(Batched())
    keys = [SeededIndex(7, (1, 2)), SeededIndex(4, (1, 3))]
    indices, noise = dataset.__getitems__(keys)
    assert indices == [7, 4]
    assert torch.equal(dataset.__getitems__(pickle.loads(pickle.dumps(keys)))[1], noise)


def test_everything_else_is_the_data_sets_own():
    dataset = SeededDataset(Noisy())
    dataset.pipeline = 'second'  # as PipelineSwitchHook does
    assert dataset.dataset.pipeline == 'second' == pickle.loads(pickle.dumps(dataset)).pipeline
    assert not hasattr(dataset, 'metainfo')
    assert isinstance(DATA_SAMPLERS.build(dict(type='topkd.SeededSampler', dataset=dataset, seed=0, sampler=dict(type='DefaultSampler'))), SeededSampler)  # fmt: skip
