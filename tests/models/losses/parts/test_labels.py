"""Labels out of data samples."""

import pytest
import torch
from mmpretrain.structures import DataSample

from topkd.models.losses.parts.labels import labels_of


def test_labels_of_a_batch():
    samples = [DataSample().set_gt_label(value) for value in (3, 0, 7)]
    assert labels_of(samples).tolist() == [3, 0, 7] and labels_of(samples).dtype == torch.int64


@pytest.mark.parametrize('samples', [None, [], [DataSample()], [DataSample().set_gt_label(1), DataSample()]])
def test_missing_labels(samples):
    with pytest.raises(ValueError, match='needs the label of every image, got a batch without labels: use a data set'):
        labels_of(samples)
