import pickle

import numpy as np
import pytest
import torch

from topkd.topology import DiagramRange


def make_diagrams(count=30):
    generator = np.random.default_rng(0)
    births = [generator.random((generator.integers(0, 20), 1)) for _ in range(count)]
    return [np.concatenate([b, b + generator.random(b.shape)], axis=1) for b in births]


def slow_bandwidth(points):
    distances = [np.hypot(*(p - q)) for p in points for q in points]
    return np.quantile([distance for distance in distances if distance > 1e-5], 0.2)


def test_range_and_bandwidth_equal_their_definitions():
    diagrams = make_diagrams()
    found = DiagramRange().update(diagrams)
    points = np.concatenate(diagrams) @ np.array([[1, -1], [0, 1]])
    assert len(points) > 200
    assert found.bandwidth() == pytest.approx(slow_bandwidth(points[:200]))
    low, high = points.min(axis=0), points.max(axis=0)
    np.testing.assert_allclose(found.im_range, [low[0], high[0], low[1], high[1]])


def test_chunks_and_processes_do_not_matter():
    diagrams = make_diagrams()
    whole = DiagramRange().update(diagrams)
    chunks = [diagrams[:3], diagrams[3:4], [], diagrams[4:]]
    chunked = DiagramRange()
    for chunk in chunks:
        chunked.update(chunk)
    sent = [pickle.loads(pickle.dumps(DiagramRange().update(chunk))) for chunk in chunks]
    for other in (chunked, DiagramRange().merge(sent)):
        assert other.im_range == whole.im_range
        np.testing.assert_array_equal(other.first, whole.first)


def test_points_of_persistence_0_do_not_count():
    diagrams = make_diagrams()
    padded = [np.concatenate([[[0.0, 0.0], [9.0, 9.0]], diagram]) for diagram in diagrams]
    assert DiagramRange().update(padded).im_range == DiagramRange().update(diagrams).im_range


def test_memory_is_constant():
    found = DiagramRange()
    for _ in range(5):
        found.update(torch.rand(100, 50, 2).cumsum(dim=2))
    assert found.first.shape == (200, 2)


def test_errors():
    with pytest.raises(ValueError, match='leave out essential classes'):
        DiagramRange().update([np.array([[0.0, np.inf]])])
    with pytest.raises(ValueError, match=r'\(m, 2\) of \(birth, death\), got \(3, 3\) at 1'):
        DiagramRange().update([np.zeros((1, 2)), np.zeros((3, 3))])
    with pytest.raises(ValueError, match=r'list of \(m, 2\) or one tensor \(B, m, 2\), got \(3, 2\)'):
        DiagramRange().update(torch.zeros(3, 2))
    for diagrams, kind in ((None, 'NoneType'), ({'a': 1}, 'dict'), ('ab', 'str')):
        with pytest.raises(TypeError, match=rf'one tensor \(B, m, 2\), got {kind}: give those of rips_diagrams'):
            DiagramRange().update(diagrams)
    with pytest.raises(ValueError, match='two points more than 1e-05 apart among the first 200 of the diagrams, got 1'):
        DiagramRange().update([np.array([[0.0, 1.0]])]).bandwidth()
