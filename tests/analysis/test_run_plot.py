import numpy as np
import pytest

from topkd.analysis.run_history import plot as run_plot
from topkd.analysis.run_history.history import History
from topkd.analysis.run_history.plot import plot_runs


def run(values, epoch_length=10):
    steps = np.arange(5, 5 * len(values) + 1, 5)
    return History(steps, (steps - 1) // 10 + 1, np.array(values, dtype=float), epoch_length)


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Return a function that plots, and returns the figure's axes."""
    figures = []
    real = run_plot.save_figure

    def save(figure, path):
        figures.append(figure)
        real(figure, path)

    monkeypatch.setattr(run_plot, 'save_figure', save)

    def plot(panels, **options):
        plot_runs(panels, str(tmp_path / 'a.png'), **options)
        assert (tmp_path / 'a.png').read_bytes()[:4] == b'\x89PNG'
        return figures[-1].axes

    return plot


def test_lines_are_the_values_over_epochs_and_keep_their_look(drawn):
    axes = drawn(
        {'ratio': {'a': run([0.1, 0.2, 0.3]), 'b': run([0.3, 0.1])}, 'outside': {'a': run([]), 'b': run([1.0, 0.5])}},
        percent=('outside',),
    )
    first, second = axes[0].lines
    assert first.get_xdata() == pytest.approx([0.5, 1.0, 1.5]) and first.get_ydata() == pytest.approx([0.1, 0.2, 0.3])
    (alone,) = axes[1].lines
    assert (alone.get_color(), alone.get_linestyle()) == (second.get_color(), second.get_linestyle())
    assert (first.get_color(), first.get_linestyle()) != (second.get_color(), second.get_linestyle())
    assert axes[0].get_yscale() == 'linear' and axes[1].get_xlabel() == 'epoch'
    assert axes[1].yaxis.get_major_formatter()(0.5) == '50%'
    assert [text.get_text() for text in axes[0].figure.legends[0].get_texts()] == ['a', 'b']


def test_two_decades_make_the_axis_logarithmic(drawn):
    assert drawn({'ratio': {'a': run([0.0, 0.001]), 'b': run([0.1])}})[0].get_yscale() == 'log'
    assert drawn({'ratio': {'a': run([0.0, 0.002]), 'b': run([0.1])}})[0].get_yscale() == 'linear'


def test_long_runs_are_drawn_by_medians(drawn):
    (line,) = drawn({'ratio': {'a': run([1.0, 2.0, 9.0] * 120)}})[0].lines
    assert line.get_ydata() == pytest.approx([2.0] * 120)


def test_without_epochs_steps_are_counted(drawn):
    axes = drawn({'ratio': {'a': run([0.1, 0.2]), 'b': run([0.1], epoch_length=None)}})
    assert axes[0].get_xlabel() == 'training step' and axes[0].lines[0].get_xdata() == pytest.approx([5, 10])


def test_many_runs_of_long_names_are_told_apart_and_named_inside_the_figure(drawn):
    axis = drawn(
        {'ratio': {f'cohort/KD-3+sliced_wasserstein-{weight}': run([0.1 * weight, 0.2]) for weight in range(9)}}
    )[0]
    assert len({(line.get_color(), str(line._unscaled_dash_pattern)) for line in axis.lines}) == 9
    (legend,) = axis.figure.legends
    box = legend.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= axis.figure.bbox.width
    assert len(legend.get_texts()) == 9
