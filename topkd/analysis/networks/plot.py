"""Accuracy against latency, a marker a network, a panel for each device and batch size."""

from collections.abc import Sequence
from typing import Any

from topkd.analysis.style import COLORS, MARKERS, new_figure, save_figure


def plot_networks(rows: Sequence[dict[str, Any]], metric: str, path: str) -> None:
    """Draw what networks reach against how long a prediction takes.

    Args:
        rows (Sequence[dict]): From :func:`topkd.analysis.networks.compare.compare`; networks without the metric are
            left out.
        metric (str): A key of their ``metrics``.
        path (str): PNG to write.

    Example:
        >>> row = dict(
        ...     name='net', parameters=1e6, metrics=dict(accuracy=70.0), latency_ms=dict(cpu={1: [2.0, 1.0, 3.0]})
        ... )
        >>> plot_networks([row], 'accuracy', 'networks.png')
    """
    places = [(device, count) for device, counts in rows[0]['latency_ms'].items() for count in counts]
    figure, axes = new_figure(4.4 * len(places) + 0.6, 3.6, ncols=len(places), squeeze=False, sharey=True)
    for axis, (device, count) in zip(axes[0], places):
        for number, row in enumerate(rows):
            if metric in row['metrics']:
                _marker(axis, row, row['latency_ms'][device][count], row['metrics'][metric], number)
        axis.set_xlabel(f'milliseconds a batch of {count} on {device}')
        axis.set_title(f'{device}, batch {count}', fontsize=10)
        axis.grid(alpha=0.4)
        axis.margins(0.25)
    axes[0, 0].set_ylabel(metric)
    save_figure(figure, path)


def _marker(axis: Any, row: dict[str, Any], latency: Sequence[float], reached: float, number: int) -> None:
    """Draw one network: a marker at the median, a line from the least latency to the greatest."""
    middle, least, greatest = latency
    color = COLORS[number % len(COLORS)]
    axis.plot([least, greatest], [reached, reached], color=color, linewidth=1.5, alpha=0.6)
    axis.plot([middle], [reached], MARKERS[number % len(MARKERS)], color=color, markersize=8)
    axis.annotate(
        f'{row["name"]}, {row["parameters"] / 1e6:.2g} M',
        (middle, reached),
        xytext=(0, 9),
        textcoords='offset points',
        ha='center',
        fontsize=8.5,
    )
