"""The history of a term: spans of steps and what is drawn of them."""

import numpy as np
import pytest

from topkd.analysis.run_history.term_plot import history_figure, spans


def test_spans_hold_means_and_ranges():
    summary = spans(np.array([1, 2, 3, 4, 5]), np.array([1.0, 3.0, 5.0, 0.0, 8.0]), 2)
    assert {key: list(values) for key, values in summary.items()} == dict(
        step=[2.0, 4.5], mean=[3.0, 4.0], least=[1.0, 0.0], greatest=[5.0, 8.0]
    )
    assert list(spans(np.array([7]), np.array([2.0]))['step']) == [7.0]


def test_a_panel_a_quantity_over_the_same_steps():
    steps = np.arange(1, 1001)
    figure = history_figure(
        {'term': (steps, np.sqrt(steps)), 'gradient ratio': (np.array([1, 501]), np.array([0.5, 0.25]))}, 'topology'
    )
    first, second = figure.axes
    assert (first.get_ylabel(), second.get_ylabel(), second.get_xlabel()) == ('term', 'gradient ratio', 'training step')
    assert len(first.lines[0].get_xdata()) == 200 and first.lines[0].get_xdata()[0] == 3.0
    assert first.lines[0].get_ydata()[-1] == pytest.approx(np.sqrt(steps[-5:]).mean())
    assert list(second.lines[0].get_xdata()) == [1, 501] and list(second.lines[0].get_ydata()) == [0.5, 0.25]
    assert second.get_xlim() == (0, 1000) and first.get_ylim()[0] == 0


def test_nothing_to_draw():
    with pytest.raises(ValueError, match='needs one value at least, got none of term'):
        history_figure(dict(term=(np.array([]), np.array([]))), 'topology')
    with pytest.raises(ValueError, match='got none of anything'):
        history_figure({}, 'topology')
