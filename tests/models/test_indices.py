"""Indices of images out of data samples, from a loader to a loss."""

import pytest
import torch
from mmengine.runner import Runner
from mmpretrain.structures import DataSample

from topkd.models.indices import indices_of


def test_indices_of_a_batch_that_a_loader_made(digits_config):
    from mmengine.registry import MODELS

    cfg = digits_config('baselines/resnet8_digits.py')
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=3)
    preprocessor = MODELS.build(cfg.data_preprocessor)
    seen = []
    for batch in loader:
        indices = indices_of(preprocessor(batch, True)['data_samples'])
        assert torch.equal(loader.dataset.labels[indices], batch['gt_label'])
        seen += indices.tolist()
    assert len(set(seen)) == len(seen) > 200


def test_single_samples_know_their_index(digits_config):
    from topkd.datasets import collate_batch
    from topkd.datasets.digits import Digits

    dataset = Digits(split='train', indices=20)
    assert collate_batch([dataset[3], dataset[-1]])['sample_idx'].tolist() == [3, 19]


def test_missing_indices():
    with pytest.raises(
        ValueError, match='got data samples without sample_idx: use a data set of topkd or mmpretrain, and keep'
    ):
        indices_of([DataSample()])
