import numpy as np
import pytest
import torch
from gudhi.representations import Landscape

from topkd.topology import PersistenceLandscape, pad_diagrams, rips_diagrams


def make_diagrams(dims=(0, 1), dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return rips_diagrams([torch.randn(n, 2, generator=generator, dtype=dtype) for n in (20, 9, 14)], dims)


@pytest.mark.parametrize('num_landscapes, resolution', [(1, 50), (4, 17), (40, 10)])
def test_equals_gudhi(num_landscapes, resolution):
    diagrams = make_diagrams()
    landscape = PersistenceLandscape(num_landscapes, resolution).fit(diagrams).double()
    low, high = (float(end) for end in landscape.sample_range)
    reference = Landscape(num_landscapes, resolution, sample_range=[low, high])
    expected = reference.fit_transform([diagram.numpy() for diagram in diagrams]) / 2**0.5
    np.testing.assert_allclose(landscape(diagrams), expected, atol=1e-6)


def test_fitted_range_is_that_of_all_births_and_deaths():
    landscape = PersistenceLandscape().fit([torch.tensor([[0.5, 2.0], [9.0, 9.0]]), torch.tensor([[0.25, 1.0]])])
    assert landscape.sample_range.tolist() == [0.25, 2.0]
    inside, late = [[0.25, 1.0], [0.5, 2.0]], [[0.0, 1.0], [0.5, 2.5]]
    assert landscape.share_outside([torch.tensor(inside + late)]) == 0.5
    assert landscape.share_outside([torch.empty(0, 2)]) == 0.0


def test_gradient_is_the_derivative():
    landscape = PersistenceLandscape(3, 7, sample_range=(0.0137, 2.0))
    # all births differ: equal ones are equal tents, of which any one may be the largest
    births, lives = torch.rand(2, 3, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    diagrams = [diagram.requires_grad_() for diagram in torch.stack((births, births + lives), dim=2).unbind()]
    assert landscape(diagrams).count_nonzero() > 10
    torch.autograd.gradcheck(lambda *diagrams: landscape(diagrams), diagrams)


def test_padding_empty_diagrams_and_precision():
    diagrams = make_diagrams(dtype=torch.float32)
    landscape = PersistenceLandscape(3, 7).fit(diagrams)
    assert torch.equal(landscape(pad_diagrams(diagrams, 40).points), landscape(diagrams))
    assert landscape(diagrams).dtype == torch.float32 and not landscape([torch.empty(0, 2)]).any()
    assert landscape([]).shape == (0, 21)


def test_range_is_part_of_the_state_dict():
    diagrams = make_diagrams()
    fitted, loaded = PersistenceLandscape().fit(diagrams), PersistenceLandscape()
    with pytest.raises(RuntimeError, match=r'PersistenceLandscape was not fitted: call fit\(diagrams\)'):
        loaded(diagrams)
    loaded.load_state_dict(fitted.state_dict())
    assert torch.equal(loaded(diagrams), fitted(diagrams))


def test_arguments_are_checked():
    with pytest.raises(ValueError, match='num_landscapes must be'):
        PersistenceLandscape(0)
    for sample_range in ((1.0, 1.0), (0.0, float('inf')), (0.0,)):
        with pytest.raises(ValueError, match='sample_range must be a lowest birth and a higher, finite highest death'):
            PersistenceLandscape(sample_range=sample_range)
    with pytest.raises(ValueError, match='a range needs a point of positive persistence'):
        PersistenceLandscape().fit([torch.zeros(3, 2)])
    with pytest.raises(ValueError, match='sample_range must be'):
        PersistenceLandscape().fit([torch.tensor([[0.0, float('inf')]])])
