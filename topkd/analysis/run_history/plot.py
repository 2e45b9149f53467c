"""Scalars of several trainings over their epochs."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from topkd.analysis.run_history.history import History
from topkd.analysis.style import line_style, new_figure, save_figure

SPANS = 120
DECADES = 100.0
WIDTH = 7.2  # of the figure, in inches


def plot_runs(panels: Mapping[str, Mapping[str, History]], path: str, percent: tuple[str, ...] = ()) -> None:
    """Draw :func:`runs_figure` into a file.

    Args:
        panels (Mapping[str, Mapping[str, History]]): See there.
        path (str): PNG to write.
        percent (tuple[str]): See there.

    Example:
        >>> run = History(np.array([1, 2]), np.array([1, 1]), np.array([2.0, 1.0]), epoch_length=2)
        >>> plot_runs(dict(loss=dict(KD=run)), 'runs.png')
    """
    save_figure(runs_figure(panels, percent), path)


def runs_figure(
    panels: Mapping[str, Mapping[str, History]], percent: tuple[str, ...] = (), close: tuple[str, ...] = ()
) -> Figure:
    """Draw one panel a scalar and one line a run; a line of more than 120 values shows medians of 120 spans.

    An axis is logarithmic if its values span two decades. Without epochs in one of the runs the x axis counts steps.

    Args:
        panels (Mapping[str, Mapping[str, History]]): By what the axis is to say, histories by name of the run. A run
            keeps its color and dash in all panels; one with an empty history is left out.
        percent (tuple[str]): Axes that show shares in percent, never logarithmic.
        close (tuple[str]): Axes that end where the values do rather than at 0, never logarithmic.

    Returns:
        Figure: To be saved, or turned into pixels.

    Example:
        >>> run = History(np.array([1, 2]), np.array([1, 1]), np.array([2.0, 1.0]), epoch_length=2)
        >>> runs_figure(dict(loss=dict(KD=run))).axes[0].get_ylabel()
        'loss'
    """
    names = list(dict.fromkeys(name for runs in panels.values() for name in runs))
    by_epoch = all(run.epoch_length is not None for runs in panels.values() for run in runs.values())
    columns = _legend_columns(names)
    height = 0.8 + 0.2 * ceil(len(names) / columns) + 2.6 * len(panels)
    figure, axes = new_figure(WIDTH, height, nrows=len(panels), sharex=True, squeeze=False)
    for axis, (title, runs) in zip(axes[:, 0], panels.items()):
        for name, run in runs.items():
            _draw(axis, run, name, by_epoch, *line_style(names.index(name)))
        _scale(axis, title, percent, close, _spans_decades(runs))
    axes[-1, 0].set_xlabel('epoch' if by_epoch else 'training step')
    axes[-1, 0].set_xlim(left=0)
    lines = _legend(axes[:, 0])
    figure.legend(
        list(lines.values()), list(lines), loc='outside upper center', ncol=columns, frameon=False, fontsize=9
    )
    return figure


def _legend_columns(names: Sequence[str]) -> int:
    """Return how many names stand side by side: four, or as many as the longest leaves room for."""
    longest = max(len(name) for name in names)
    room = WIDTH / (0.7 + 0.075 * longest)  # inches of a line's sample with its margins, and of a letter
    return max(1, min(len(names), 4, int(room)))


def _scale(axis: Axes, title: str, percent: tuple[str, ...], close: tuple[str, ...], decades: bool) -> None:
    axis.set_ylabel(title)
    axis.grid(alpha=0.3)
    if title in percent:
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    if title not in (*percent, *close) and decades:
        axis.set_yscale('log', nonpositive='clip')
    elif title not in close:
        axis.set_ylim(bottom=0)


def _draw(axis: Axes, run: History, name: str, by_epoch: bool, color: str, dash: object) -> None:
    if not len(run.values):
        return
    count = min(SPANS, len(run.values))
    steps, values = ([np.median(part) for part in np.array_split(column, count)] for column in (run.steps, run.values))
    places = np.array(steps) / run.epoch_length if by_epoch else np.array(steps)
    axis.plot(places, values, color=color, linestyle=dash, linewidth=1.6, label=name, marker='o' if count < 3 else None)


def _spans_decades(runs: Mapping[str, History]) -> bool:
    values = np.concatenate([run.values for run in runs.values()])
    positive = values[values > 0]
    return len(positive) > 0 and positive.max() >= DECADES * positive.min()


def _legend(axes: np.ndarray) -> dict[str, Artist]:
    return {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels())}
