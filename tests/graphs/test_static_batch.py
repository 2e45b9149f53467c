"""Batches that keep their places in memory."""

import pytest
import torch
from mmpretrain.structures import DataSample

from topkd.graphs import StaticBatch


def samples(labels, indices=None):
    found = [DataSample().set_gt_label(label) for label in labels]
    for sample, index in zip(found, indices or ()):
        sample.set_field(torch.tensor(index), 'sample_idx', field_type='metainfo')
        sample.set_field(f'{index}.png', 'img_path', field_type='metainfo')
    return found


def test_other_images_and_labels_come_to_the_same_places():
    batch = StaticBatch(torch.zeros(2, 3, 4, 4), samples([1, 2], [5, 6]))
    places = [batch.inputs.data_ptr(), *(sample.gt_label.data_ptr() for sample in batch.data_samples)]
    held = batch.data_samples[1]
    other = samples([3, 4], [7, 8])
    assert batch.fits(torch.ones(2, 3, 4, 4), other)
    batch.fill(torch.ones(2, 3, 4, 4), other)
    assert batch.inputs.min() == 1 and held.gt_label.tolist() == [4] and int(held.sample_idx) == 8
    assert [batch.inputs.data_ptr(), *(sample.gt_label.data_ptr() for sample in batch.data_samples)] == places
    assert held.img_path == '6.png'  # no tensor: that of the first batch
    assert other[1].gt_label.tolist() == [4] and other[1].gt_label.data_ptr() not in places


def test_the_batch_that_it_was_made_of_is_left_alone():
    images, labels = torch.zeros(2, 3, 4, 4), samples([1, 2])
    batch = StaticBatch(images, labels)
    batch.fill(torch.ones(2, 3, 4, 4), samples([3, 4]))
    assert images.max() == 0 and [sample.gt_label.item() for sample in labels] == [1, 2]


def test_other_shapes_do_not_fit():
    batch = StaticBatch(torch.zeros(2, 3, 4, 4), samples([1, 2]))
    assert not batch.fits(torch.zeros(1, 3, 4, 4), samples([1]))
    assert not batch.fits(torch.zeros(2, 3, 4, 4), samples([1, 2], [5, 6]))  # another tensor beside the label
    assert not batch.fits(torch.zeros(2, 3, 4, 4, dtype=torch.float64), samples([1, 2]))
    assert not batch.fits(torch.zeros(2, 3, 4, 4), None)
    with pytest.raises(ValueError, match="'boxes' must have one shape in all samples of a batch, got several: train"):
        uneven = samples([1, 2])
        for number, sample in enumerate(uneven):
            sample.set_field(torch.zeros(number + 1, 4), 'boxes')
        StaticBatch(torch.zeros(2, 3, 4, 4), uneven)
