"""What the figure of a diagram shows: its points, its bars in order, its image on the right axes."""

import numpy as np
import pytest
import torch

from topkd.analysis.diagram import plot as diagram_plot
from topkd.analysis.diagram.cloud_topology import cloud_topology

SQUARE = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1], [0.5, 3]], dtype=torch.float64)


@pytest.fixture
def draw(monkeypatch):
    """Return a function that draws clouds and returns the axes."""
    figures = []
    monkeypatch.setattr(diagram_plot, 'save_figure', lambda figure, path: figures.append(figure))

    def run(clouds, dims=(0, 1)):
        topology, spec = cloud_topology(clouds, dims)
        diagram_plot.plot_diagrams(topology, spec, 'none.png', 'metres')
        return topology, spec, figures[-1].axes

    return run


def test_diagram_barcode_and_image(draw):
    topology, spec, axes = draw(dict(square=SQUARE))
    diagrams = topology['square'].diagrams
    points = axes[0].collections
    for dim in (0, 1):
        np.testing.assert_allclose(np.asarray(points[dim].get_offsets()), diagrams[dim])
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ['dimension 0 (4)', 'dimension 1 (1)']
    bars = [[segment[:, 0].tolist() for segment in group.get_segments()] for group in axes[1].collections]
    assert np.allclose(bars[0], [[0, 1]] * 3 + [[0, 4.25**0.5]]) and np.allclose(bars[1], [[1, 2**0.5]])
    heights = np.concatenate([[segment[0, 1] for segment in group.get_segments()] for group in axes[1].collections])
    assert (np.diff(heights) > 0).all() and axes[1].get_ylim()[0] < heights[0] and heights[-1] < axes[1].get_ylim()[1]
    image = axes[2].images[0]
    np.testing.assert_array_equal(np.asarray(image.get_array()), topology['square'].image)
    left, right, low, high = image.get_extent()
    # the centers of the outermost of 20 pixels lie on the ends of the range
    assert left + (right - left) / 40 == pytest.approx(spec['im_range'][0], abs=1e-6)
    assert high - (high - low) / 40 == pytest.approx(spec['im_range'][3])
    assert axes[0].get_xlabel() == 'birth (metres)' and axes[2].get_ylabel() == 'persistence (metres)'


def test_rows_share_their_scales(draw):
    _, _, axes = draw(dict(small=SQUARE, large=5 * SQUARE))
    assert axes[0].get_ylim() == axes[3].get_ylim() and axes[1].get_xlim() == axes[4].get_xlim()
    assert axes[2].images[0].get_clim() == axes[5].images[0].get_clim()
    assert axes[0].get_ylabel() == 'small\ndeath (metres)'


def test_births_all_zero_and_no_image(draw):
    _, _, axes = draw(dict(line=torch.tensor([[0.0], [1], [3]])), (0,))
    assert [text.get_text() for text in axes[2].get_xticklabels()] == ['0']
    left, right = axes[2].images[0].get_extent()[:2]
    assert axes[2].get_xticks()[0] == pytest.approx((left + right) / 2)
    _, spec, axes = draw(dict(pair=torch.tensor([[0.0], [1]])))
    assert spec is None and axes[2].texts[0].get_text().startswith('no image')
    # many classes, but all too close for a bandwidth
    _, spec, axes = draw(dict(tiny=1e-6 * SQUARE))
    assert spec is None and 'more than 1e-5 apart' in axes[2].texts[0].get_text()


def test_a_file_is_written(tmp_path):
    diagram_plot.plot_diagrams(*cloud_topology(dict(square=SQUARE), (0, 1)), str(tmp_path / 'a.png'))
    assert (tmp_path / 'a.png').read_bytes().startswith(b'\x89PNG')
