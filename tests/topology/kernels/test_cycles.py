import numpy as np
import torch
from scipy.spatial.distance import pdist, squareform

from topkd.topology.kernels.cycles import _find, cycle_edges


def test_edges_of_the_unit_square():
    square = torch.tensor([[[0.0, 0], [1, 0], [1, 1], [0, 1]]])
    (pairs,) = cycle_edges(square)
    assert pairs.shape == (1, 2, 2)
    birth, death = (np.linalg.norm(np.subtract(*square[0].numpy()[edge])) for edge in pairs[0].tolist())
    assert birth == 1 and death == np.sqrt(np.float32(2))


def test_edges_have_the_values_of_the_diagram_in_the_order_of_deaths():
    points = torch.randn(3, 30, 2, generator=torch.Generator().manual_seed(0))
    for cloud, pairs in zip(points.double().numpy(), cycle_edges(points)):
        lengths = squareform(pdist(cloud))[tuple(pairs.numpy().transpose(2, 0, 1))]
        assert len(lengths) and (lengths[:, 0] < lengths[:, 1]).all() and (np.diff(lengths[:, 1]) >= 0).all()


def test_find_returns_a_place_of_each_value():
    lengths = np.array([3.0, 1.0, 2.0, 1.0, 5.0])
    values = np.array([[1.0, 5.0], [2.0, 3.0], [1.0, 2.0]])
    assert (lengths[_find(values, lengths)] == values).all()
    assert _find(np.empty((0, 2)), lengths).shape == (0, 2)


def test_clouds_without_cycles():
    for n in (2, 3):
        assert [len(pairs) for pairs in cycle_edges(torch.rand(2, n, 2))] == [0, 0]
