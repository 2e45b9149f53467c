import numpy as np
import pytest
import torch

from topkd.topology import PersistenceImager, pad_diagrams, rips_diagrams


def make_diagrams():
    generator = torch.Generator().manual_seed(0)
    return rips_diagrams([torch.randn(n, 2, generator=generator) for n in (5, 9, 2)])


def test_diagrams_are_filled_up_with_points_of_the_diagonal():
    diagrams = make_diagrams()
    for size, width in ((None, 8), (11, 11)):
        padded = pad_diagrams(diagrams, size)
        assert padded.points.shape == (3, width, 2) and padded.lengths.tolist() == [4, 8, 1]
        for points, mask, diagram in zip(padded.points, padded.mask, diagrams):
            assert torch.equal(points[mask], diagram) and not points[~mask].any()


def test_padding_changes_no_image_and_carries_gradients():
    diagrams = [diagram.requires_grad_() for diagram in make_diagrams()]
    imager = PersistenceImager().fit(diagrams)
    torch.testing.assert_close(imager(pad_diagrams(diagrams, 20).points), imager(diagrams))
    pad_diagrams(diagrams).points.sum().backward()
    assert all(bool((diagram.grad == 1).all()) for diagram in diagrams)


def test_kinds_of_input():
    assert pad_diagrams([]).points.shape == (0, 0, 2)
    padded = pad_diagrams([np.zeros((2, 2)), torch.ones(1, 2)])  # float64 and float32
    assert padded.points.dtype == torch.float64 and padded.lengths.tolist() == [2, 1]
    assert pad_diagrams([torch.ones(1, 2).half()]).points.dtype == torch.float32
    batch = torch.rand(2, 3, 2)
    assert torch.equal(pad_diagrams(batch).points, batch) and pad_diagrams(batch).lengths.tolist() == [3, 3]


def test_what_cannot_be_padded_is_an_error():
    with pytest.raises(ValueError, match='size must hold the largest diagram, which has 8 points, got 7'):
        pad_diagrams(make_diagrams(), 7)
    with pytest.raises(ValueError, match=r'must have shape \(m, 2\) of \(birth, death\), got'):
        pad_diagrams([torch.zeros(3, 3)])
    with pytest.raises(ValueError, match=r'a list of \(m, 2\) or one tensor \(B, m, 2\), got \(3, 2\)'):
        pad_diagrams(torch.zeros(3, 2))
