"""What the scatter of embeddings shows: every point once, every class by a look of its own."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from topkd.analysis.embeddings import plot as embedding_plot
from topkd.analysis.embeddings.plot import plot_embeddings


@pytest.fixture
def drawn(monkeypatch):
    """Return a list that figures are put in instead of being written."""
    figures = []
    monkeypatch.setattr(embedding_plot, 'save_figure', lambda figure, path: figures.append(figure))
    return figures


def look(points) -> tuple:
    return to_hex(points.get_edgecolors()[0]), points.get_paths()[0].vertices.tobytes()


def test_one_panel_a_network_and_every_class_distinguishable(drawn):
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), 3)
    planes = {name: generator.normal(size=(60, 2)) for name in ('teacher', 'plain', 'KD', 'TopKD', 'exact')}
    names = {number: f'class_{number}' for number in range(19)}
    plot_embeddings(planes, labels, names, 'none.png', notes=dict(KD='silhouette 0.100'))
    (figure,) = drawn
    panels = [axis for axis in figure.axes if axis.axison]
    assert [axis.get_title() for axis in panels] == ['teacher', 'plain', 'KD\nsilhouette 0.100', 'TopKD', 'exact']
    for axis, plane in zip(panels, planes.values()):
        assert axis.get_xlabel() == 'UMAP 1' and axis.get_ylabel() == 'UMAP 2'
        assert len({look(points) for points in axis.collections}) == 20
        for number, points in enumerate(axis.collections):
            np.testing.assert_allclose(np.asarray(points.get_offsets()), plane[labels == number])
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [f'class {number}' for number in range(19)] + ['19']


def test_a_file_is_written(tmp_path):
    plot_embeddings(dict(teacher=np.eye(2)), np.array([0, 1]), {}, str(tmp_path / 'a.png'), 'principal component')
    assert (tmp_path / 'a.png').read_bytes().startswith(b'\x89PNG')
