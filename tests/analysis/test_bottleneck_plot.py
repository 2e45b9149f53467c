"""What the figure of bottleneck distances shows: shares of deaths, and means with their spread."""

import numpy as np
import pytest

from topkd.analysis.bottleneck import plot as bottleneck_plot
from topkd.analysis.bottleneck.distances import OTHER_IMAGES, ScaledDiagrams, distances_to_teacher


@pytest.fixture
def figure(monkeypatch):
    deaths = dict(teacher=[[1, 2], [1, 2.25], [1, 4]], plain=[[2, 4], [1, 2.25], [1, 3]])
    networks = {name: [np.stack([np.zeros(2), cloud], axis=1) for cloud in clouds] for name, clouds in deaths.items()}
    empty = {name: [np.empty((0, 2))] * 3 for name in networks}
    groups = [ScaledDiagrams(0, 'as is', networks), ScaledDiagrams(1, 'scale-free', empty)]
    figures = []
    monkeypatch.setattr(bottleneck_plot, 'save_figure', lambda figure, path: figures.append(figure))
    bottleneck_plot.plot_bottleneck(groups, distances_to_teacher(groups), 'none.png')
    figures[0].canvas.draw()
    return figures[0]


def test_shares_of_deaths(figure):
    left = figure.axes[0]
    lines = {line.get_label(): line for line in left.lines}
    assert list(lines) == ['teacher', 'plain'] and left.get_xlabel() == 'death (feature distance)'
    np.testing.assert_allclose(lines['teacher'].get_xdata(), [1, 1, 1, 2, 2.25, 4])
    np.testing.assert_allclose(lines['teacher'].get_ydata(), np.arange(1, 7) / 6)
    looks = {(line.get_color(), line.get_linestyle()) for line in left.lines}
    assert len(looks) == 2


def test_distances_with_mean_and_deviation(figure):
    right = figure.axes[1]
    # of three clouds, the first is at the cap, (4 - 0) / 2
    assert [text.get_text() for text in right.get_yticklabels()] == [
        'plain\n(33% at the cap)',
        OTHER_IMAGES.replace(', ', ',\n'),
    ]
    dots = [line for line in right.lines if line.get_marker() == '.']
    np.testing.assert_allclose(dots[0].get_xdata(), [2, 0, 1])
    bars = right.containers
    assert bars[0].lines[0].get_xdata()[0] == pytest.approx(1) and bars[1].lines[0].get_xdata()[0] == pytest.approx(1)
    low, high = bars[0].lines[2][0].get_segments()[0][:, 0]
    assert (low, high) == (pytest.approx(0), pytest.approx(2))


def test_no_classes_at_all_leave_an_empty_row(figure):
    assert figure.axes[2].get_xlabel() == "persistence (cloud's mean distance = 1)"
    assert all(len(line.get_xdata()) == 0 for line in figure.axes[2].lines)
