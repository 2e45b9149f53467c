"""Random numbers of a training's data that depend on the seed, the epoch and the place in it, and on nothing else."""

from collections.abc import Iterator, Sequence, Sized
from functools import partial
from typing import Any

from mmengine.dist import get_rank
from torch.utils.data import Dataset, Sampler

from topkd.registry import DATA_SAMPLERS, DATASETS
from topkd.utils.seed import seed_everything

DATA = 2  # so that a sample draws other numbers than an epoch and a step, see topkd.hooks.StepSeedHook


class SeededIndex(int):
    """The index of a sample, with what its random numbers follow from.

    It passes through batch samplers and to worker processes as the number that it is.

    Args:
        index (int): Of the sample.
        entropy (Sequence[int]): Of its random numbers.

    Example:
        >>> SeededIndex(7, (0, 1)) + 1, SeededIndex(7, (0, 1)).entropy
        (8, (0, 1))
    """

    entropy: tuple[int, ...]

    def __new__(cls, index: int, entropy: Sequence[int]) -> 'SeededIndex':
        """Give the index its entropy."""
        number = super().__new__(cls, index)
        number.entropy = tuple(entropy)
        return number

    def __reduce__(self) -> tuple[type, tuple[int, tuple[int, ...]]]:
        return SeededIndex, (int(self), self.entropy)


@DATA_SAMPLERS.register_module()
class SeededSampler(Sampler[int]):
    """Yield what another sampler yields, each index with the seed, the epoch, the rank and its place in the epoch.

    Args:
        dataset (Sized): The data set.
        seed (int, optional): Of the training.
        sampler (dict): Config of the other sampler.
    """

    def __init__(self, dataset: Sized, seed: int | None, sampler: dict) -> None:
        self.sampler = DATA_SAMPLERS.build(dict(sampler), default_args=dict(dataset=dataset, seed=seed))
        self.dataset = dataset
        self.seed = seed or 0
        self.epoch = self.start = 0

    def __iter__(self) -> Iterator[SeededIndex]:
        for place, index in enumerate(self.sampler, self.start):
            yield SeededIndex(index, (self.seed, DATA, self.epoch, get_rank(), place))

    def __len__(self) -> int:
        return len(self.sampler)

    def __getattr__(self, name: str) -> Any:
        """Return what the other sampler has besides; one that can skip samples skips their places too."""
        if name == 'sampler':  # not there yet in a worker that unpickles
            raise AttributeError(name)
        value = getattr(self.sampler, name)
        return partial(self._skip, value) if name == 'skip' else value

    def set_epoch(self, epoch: int) -> None:
        """Tell the epoch, counted from 0, also to the other sampler if it asks for it."""
        self.epoch = epoch
        if hasattr(self.sampler, 'set_epoch'):
            self.sampler.set_epoch(epoch)

    def _skip(self, skip: Any, num_samples: int) -> None:
        skip(num_samples)
        self.start = num_samples


@DATASETS.register_module()
class SeededDataset(Dataset):
    """Seed all random generators before a sample of another data set is loaded and augmented.

    The sample is then the same however many worker processes load the data, and whether or not the training was killed
    and resumed before. Everything else of the data set is within reach as if it were not wrapped.

    Args:
        dataset (dict | Dataset): The data set, or its config. One with ``__getitems__`` loads a batch at once and is
            seeded once a batch.
    """

    def __init__(self, dataset: dict | Dataset) -> None:
        built = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        object.__setattr__(self, 'dataset', built)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        _seed(index)
        return self.dataset[int(index)]

    def __getitems__(self, indices: Sequence[int]) -> Any:
        if not hasattr(self.dataset, '__getitems__'):
            return [self[index] for index in indices]
        _seed(indices[0])
        return self.dataset.__getitems__([int(index) for index in indices])

    def __getattr__(self, name: str) -> Any:
        if name == 'dataset':  # not there yet in a worker that unpickles
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # hooks that exchange a pipeline in the middle of a training mean the data set itself
        setattr(self.dataset, name, value)

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)


def _seed(index: int) -> None:
    """Seed from an index that a :class:`SeededSampler` made; any other says nothing of its place."""
    if isinstance(index, SeededIndex):
        seed_everything(*index.entropy)
