"""How large the topology term was over a training, and how strongly it pulled."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from topkd.analysis.style import COLORS, new_figure

SPANS = 200


def history_figure(history: Mapping[str, tuple[np.ndarray, np.ndarray]], title: str) -> Figure:
    """Draw one panel a quantity over the steps of a training.

    A panel shows the means of up to 200 spans of steps, and the range within each.

    Args:
        history (Mapping[str, tuple]): By what the axis is to say, steps (k, ) and values (k, ).
        title (str): Heading of the figure.

    Returns:
        Figure: To be saved, or turned into pixels.

    Raises:
        ValueError: If there is nothing to draw.

    Example:
        >>> figure = history_figure(dict(share=(np.arange(1, 4), np.array([0.1, 0.2, 0.1]))), 'epoch 1')
        >>> figure.axes[0].get_ylabel()
        'share'
    """
    empty = [name for name, (_, values) in history.items() if not len(values)]
    if empty or not history:
        raise ValueError(f'a history needs one value at least, got none of {", ".join(empty) or "anything"}')
    figure, axes = new_figure(7.0, 1.0 + 1.7 * len(history), nrows=len(history), sharex=True, squeeze=False)
    for index, (axis, (name, (steps, values))) in enumerate(zip(axes[:, 0], history.items())):
        _draw(axis, steps, values, COLORS[index % len(COLORS)])
        axis.set_ylabel(name)
    axes[-1, 0].set_xlabel('training step')
    axes[-1, 0].set_xlim(0, max(1, *(steps[-1] for steps, _ in history.values())))
    figure.suptitle(title, fontsize=11)
    return figure


def spans(steps: np.ndarray, values: np.ndarray, count: int = SPANS) -> dict[str, np.ndarray]:
    """Summarize values by spans of steps that hold equally many of them.

    Args:
        steps (np.ndarray): (k, ), ascending.
        values (np.ndarray): (k, ), one a step.
        count (int): Number of spans; fewer if there are fewer values. Defaults to 200.

    Returns:
        dict: Arrays ``step``, the mean step of each span, and ``mean``, ``least`` and ``greatest`` of its values.

    Example:
        >>> spans(np.arange(4), np.array([1.0, 3.0, 5.0, 5.0]), count=2)['mean'].tolist()
        [2.0, 5.0]
    """
    parts = np.array_split(np.asarray(values, dtype=float), min(count, len(values)))
    places = np.array_split(np.asarray(steps, dtype=float), len(parts))
    return dict(
        step=np.array([place.mean() for place in places]),
        mean=np.array([part.mean() for part in parts]),
        least=np.array([part.min() for part in parts]),
        greatest=np.array([part.max() for part in parts]),
    )


def _draw(axis: Any, steps: np.ndarray, values: np.ndarray, color: str) -> None:
    summary = spans(steps, values)
    axis.fill_between(summary['step'], summary['least'], summary['greatest'], color=color, alpha=0.25, linewidth=0)
    axis.plot(summary['step'], summary['mean'], color=color, marker='o' if len(values) < 30 else None, markersize=4)
    axis.set_ylim(bottom=0)
    axis.grid(alpha=0.3)
