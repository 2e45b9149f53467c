"""The in-memory image set: single samples, whole batches, subsets, MMEngine's and PyTorch's data loaders."""

import io
from multiprocessing.reduction import ForkingPickler

import pytest
import torch
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.runner import Runner
from torch.utils.data import Subset

from topkd.datasets import InMemoryImages, collate_batch
from topkd.registry import DATASETS


def make_images(num_images=20, **kwargs):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (num_images, 3, 4, 5), dtype=torch.uint8, generator=generator)
    return InMemoryImages(images, torch.arange(num_images), classes=['a', 'b'], **kwargs)


@DATASETS.register_module()
class TwentyImages(InMemoryImages):
    """A set that a config can build."""

    def __init__(self):
        whole = make_images()
        super().__init__(whole.images, whole.labels, ['a', 'b'])


@pytest.fixture(scope='module', autouse=True)
def unregister():
    yield
    DATASETS._module_dict.pop('TwentyImages')


def loader_cfg(**kwargs):
    cfg = dict(
        batch_size=8,
        num_workers=0,
        dataset=dict(type='topkd.TwentyImages'),
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='topkd.collate_batch'),
    )
    cfg.update(kwargs)
    return cfg


def test_a_sample_and_a_batch_hold_the_same_pixels():
    data = make_images()
    batch = data.__getitems__([3, 0, 19])
    assert batch['inputs'].shape == (3, 3, 4, 5) and batch['inputs'].dtype == torch.uint8
    assert batch['gt_label'].tolist() == [3, 0, 19] and batch['gt_label'].dtype == torch.int64
    for row, index in enumerate([3, 0, 19]):
        assert torch.equal(batch['inputs'][row], data[index]['inputs'])
        assert torch.equal(batch['gt_label'][row], data[index]['gt_label'])
    assert data[0]['gt_label'].shape == () and len(data) == 20
    assert data.metainfo == dict(classes=('a', 'b'))


def test_collate_stacks_samples_and_passes_batches_through():
    data = make_images()
    stacked = collate_batch([data[2], data[5]])
    passed = collate_batch(data.__getitems__([2, 5]))
    assert type(stacked) is dict and type(passed) is dict
    for key in ('inputs', 'gt_label'):
        assert torch.equal(stacked[key], passed[key])
    with pytest.raises(TypeError, match="expected samples that are dicts of tensors .* got \\['Tensor'\\]"):
        collate_batch([torch.zeros(1)])


INDICES = [(3, [0, 1, 2]), (-2, [18, 19]), ([4, 1, -1], [4, 1, 19]), (20, range(20))]


@pytest.mark.parametrize('indices, expected', INDICES)
def test_indices_select_a_subset_as_in_mmengine(indices, expected):
    data = make_images(indices=indices)
    assert data.labels.tolist() == list(expected)
    assert torch.equal(data.images, make_images().images[list(expected)])
    # The subset does not drag the storage of the whole set along.
    assert data.images.untyped_storage().nbytes() == len(data) * 3 * 4 * 5


@pytest.mark.parametrize(
    'indices, error, message',
    [
        (21, ValueError, 'expected indices to select 1 to 20 samples .* got 21'),
        (0, ValueError, 'expected indices to select 1 to 20 samples .* got 0'),
        ([3, 20], ValueError, 'data set of 20 samples, got positions from 3 to 20'),
        ([], TypeError, 'number of samples or a list of positions, got \\[\\]'),
        ([0.5], TypeError, 'number of samples or a list of positions, got \\[0.5\\]'),
        ('10', TypeError, "number of samples or a list of positions, got '10'"),
    ],
)
def test_bad_indices(indices, error, message):
    with pytest.raises(error, match=message):
        make_images(indices=indices)


@pytest.mark.parametrize(
    'images, labels, message',
    [
        (torch.zeros(2, 3, 4, 4), torch.zeros(2).long(), 'expected uint8 images of shape .*got torch.float32'),
        (torch.zeros(2, 1, 4, 4).byte(), torch.zeros(2).long(), 'got torch.uint8 of shape \\(2, 1, 4, 4\\)'),
        (
            torch.zeros(2, 3, 4, 4).byte(),
            torch.zeros(3).long(),
            'expected int64 labels of shape \\(2,\\).*shape \\(3,\\)',
        ),
        (torch.zeros(2, 3, 4, 4).byte(), torch.zeros(2), 'expected int64 labels .* got torch.float32'),
    ],
)
def test_images_and_labels_must_fit(images, labels, message):
    with pytest.raises(ValueError, match=message):
        InMemoryImages(images, labels, ['a'])


@pytest.mark.parametrize('num_workers', [0, 2])
def test_runner_builds_a_loader_that_sees_every_image_once(num_workers):
    loader = Runner.build_dataloader(loader_cfg(num_workers=num_workers), seed=0)
    whole = make_images().images
    seen = []
    for batch in loader:
        assert set(batch) == {'inputs', 'gt_label', 'sample_idx'}
        assert torch.equal(batch['inputs'], whole[batch['gt_label']])
        seen += batch['gt_label'].tolist()
    assert sorted(seen) == list(range(20)) and seen != sorted(seen)
    assert loader.dataset.metainfo['classes'] == ('a', 'b')


def test_a_batch_is_one_call(monkeypatch):
    monkeypatch.setattr(InMemoryImages, '__getitem__', lambda self, index: pytest.fail('fetched a single sample'))
    assert len(list(Runner.build_dataloader(loader_cfg(drop_last=True)))) == 2


def test_wrappers_work_by_single_samples_or_batches():
    repeated = loader_cfg(dataset=dict(type='RepeatDataset', dataset=dict(type='topkd.TwentyImages'), times=2))
    labels = torch.cat([batch['gt_label'] for batch in Runner.build_dataloader(repeated)])
    assert labels.bincount().tolist() == [2] * 20
    sliced = Runner.build_dataloader(loader_cfg(num_batch_per_epoch=2))
    assert [len(batch['gt_label']) for batch in sliced] == [8, 8]
    subset = torch.utils.data.DataLoader(Subset(make_images(), [5, 6, 7]), batch_size=2, collate_fn=collate_batch)
    assert [batch['gt_label'].tolist() for batch in subset] == [[5, 6], [7]]


def test_another_collate_function_is_told_what_to_do():
    cfg = loader_cfg()
    cfg.pop('collate_fn')
    with pytest.raises(KeyError, match="set collate_fn=dict\\(type='topkd.collate_batch'\\) in the dataloader"):
        next(iter(Runner.build_dataloader(cfg)))


def test_workers_that_are_spawned_receive_a_handle_and_not_the_pixels():
    images = torch.zeros(1000, 3, 32, 32, dtype=torch.uint8)
    data = InMemoryImages(images, torch.zeros(1000).long(), ['a'])
    buffer = io.BytesIO()
    ForkingPickler(buffer).dump(data)
    assert buffer.tell() < 10000


def test_mmengine_root_registry_finds_the_sets():
    assert MMENGINE_DATASETS.get('topkd.CIFAR100').__name__ == 'CIFAR100'
