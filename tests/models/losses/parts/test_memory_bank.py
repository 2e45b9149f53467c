"""Banks of embeddings, and negatives of other classes."""

from types import SimpleNamespace

import pytest
import torch
from distributed import run
from scipy.stats import chisquare

from topkd.datasets import SeededDataset
from topkd.models.losses.parts.memory_bank import MemoryBank, OtherClasses, training_labels


def test_update_moves_the_images_of_the_batch_and_no_others():
    torch.manual_seed(0)
    bank = MemoryBank(6, 3, momentum=0.25)
    before = bank.embeddings.clone()
    assert before.abs().max() <= 1.0  # 1 / sqrt(3 / 3)
    new = torch.nn.functional.normalize(torch.randn(2, 3))
    bank.update(torch.tensor([4, 1]), new)
    for image, row in ((4, new[0]), (1, new[1])):
        expected = 0.25 * before[image] + 0.75 * row
        assert torch.allclose(bank(torch.tensor(image)), expected / expected.norm())
    assert torch.equal(bank.embeddings[[0, 2, 3, 5]], before[[0, 2, 3, 5]])


def test_an_image_that_comes_twice_takes_the_later_embedding():
    bank = MemoryBank(3, 2, momentum=0.0)
    bank.update(torch.tensor([1, 1]), torch.eye(2))
    assert bank(torch.tensor(1)).tolist() == [0.0, 1.0]


def test_negatives_are_uniform_over_the_images_of_other_classes():
    torch.manual_seed(0)
    labels = torch.tensor([2, 0, 1, 0, 2, 2, 1, 0, 3])
    drawn = OtherClasses(labels).draw(torch.tensor([2, 3, 0]), 20_000)
    for own, row in zip((2, 3, 0), drawn):
        counts = torch.bincount(row, minlength=len(labels))
        assert counts[labels == own].sum() == 0
        assert chisquare(counts[labels != own].numpy()).pvalue > 1e-3


def test_two_classes_are_needed():
    with pytest.raises(ValueError, match='needs two classes at least|need two classes at least'):
        OtherClasses(torch.zeros(4, dtype=torch.long))


def test_labels_of_data_sets():
    assert training_labels(SimpleNamespace(labels=torch.tensor([1, 0]))).tolist() == [1, 0]
    assert training_labels(SimpleNamespace(get_gt_labels=lambda: [3, 1])).tolist() == [3, 1]
    with pytest.raises(TypeError, match='list does not tell them: use a data set of topkd'):
        training_labels([1, 2])
    with pytest.raises(TypeError, match='SimpleNamespace does not tell them'):
        training_labels(SimpleNamespace(get_gt_labels=lambda: [[3, 1]]))
    with pytest.raises(TypeError, match='list does not tell them'):
        training_labels(SeededDataset([1, 2]))


def updates_of_two_ranks(rank: int) -> None:
    torch.manual_seed(0)
    bank = MemoryBank(5, 2, momentum=0.5)
    alone = MemoryBank(5, 2, momentum=0.5)
    alone.load_state_dict(bank.state_dict())
    rows = torch.nn.functional.normalize(torch.randn(4, 2))
    indices = torch.tensor([[0, 3], [2, 4]])
    bank.update(indices[rank], rows[2 * rank : 2 * rank + 2])
    moved = alone.embeddings.clone()
    for index, row in zip(indices.flatten().tolist(), rows):
        mixed = 0.5 * moved[index] + 0.5 * row
        moved[index] = mixed / mixed.norm()
    assert torch.allclose(bank.embeddings, moved)


def test_every_rank_has_the_updates_of_all():
    run(updates_of_two_ranks)
