"""The chart of costs has its markers at the times."""

from matplotlib.image import imread

from topkd.analysis.cost import chart as module
from topkd.analysis.cost.chart import plot_costs


def cost(name: str, paper: dict) -> dict:
    ms = {
        'RipsNet': {'1': 0.2, '64': 0.03},
        'exact image': {'1': 0.4, '64': 0.1},
        'gudhi, released route': {'1': 2.0, '64': 1.5},
    }
    return dict(size=dict(name=name, num_points=64, width=64, paper=paper), ms=ms)


def test_markers_labels_and_the_papers_time(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(module, 'save_figure', lambda figure, path: (kept.append(figure), figure.savefig(path)))
    plot_costs([cost('CIFAR-100', dict(gudhi_ms=1.07)), cost('mine', {})], str(tmp_path / 'x.png'))
    first, second = kept[0].axes
    assert [list(line.get_xdata()) for line in first.lines] == [[0.2, 0.4, 2.0], [0.03, 0.1, 1.5], [1.07]]
    assert [list(line.get_ydata()) for line in first.lines] == [[0, 1, 2], [0, 1, 2], [2]]
    assert len(second.lines) == 2
    assert first.get_xscale() == 'log' and first.get_xlim() == second.get_xlim() == (0.01, 10)
    assert sorted(text.get_text() for text in first.texts) == sorted(['0.2', '0.4', '2', '0.03', '0.1', '1.5'])
    assert [text.get_text() for text in kept[0].legends[0].get_texts()][:2] == ['1 cloud a call', '64 clouds a call']
    assert (
        len({(line.get_marker(), line.get_markerfacecolor() == 'none') for line in first.lines}) == 3
    )  # told apart in gray
    assert imread(tmp_path / 'x.png').ndim == 3
