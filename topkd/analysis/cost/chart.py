"""Times of the routes to a persistence image, on one logarithmic axis."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.ticker import FuncFormatter, NullFormatter

from topkd.analysis.style import COLORS, MARKERS, new_figure, save_figure


def plot_costs(costs: Sequence[dict[str, Any]], path: str) -> None:
    """Draw a panel for each size of clouds: a line a route, a marker for every number of clouds in a call.

    Args:
        costs (Sequence[dict]): From :func:`topkd.analysis.cost.measure.measure_cost`.
        path (str): PNG to write.

    Example:
        >>> ms = {'RipsNet': {'1': 0.1, '64': 0.01}, 'gudhi': {'1': 1.0, '64': 1.0}}
        >>> size = dict(name='CIFAR-100', num_points=64, width=64, paper=dict(gudhi_ms=1.07))
        >>> plot_costs([dict(size=size, ms=ms)], 'cost.png')
    """
    routes = list(costs[0]['ms'])
    figure, axes = new_figure(
        4.6 * len(costs) + 1.2,
        1.1 + 0.75 * (len(routes) + 1),
        ncols=len(costs),
        squeeze=False,
        sharex=True,
        sharey=True,
    )
    for axis, cost in zip(axes[0], costs):
        _draw(axis, cost, routes)
    figure.set_layout_engine('constrained', wspace=0.06)
    everything = [value for cost in costs for times in cost['ms'].values() for value in times.values()]
    # whole decades, so that two panels are read on the same scale
    axes[0, 0].set_xlim(
        10 ** math.floor(math.log10(min(everything) / 1.3)), 10 ** math.ceil(math.log10(max(everything) * 1.3))
    )
    axes[0, 0].set_yticks(range(len(routes)), routes)
    axes[0, 0].set_ylim(len(routes) - 0.5, -0.6)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside lower center', ncol=len(labels), frameon=False, fontsize=9)
    save_figure(figure, path)


def _draw(axis: Any, cost: dict[str, Any], routes: Sequence[str]) -> None:
    """Draw one panel."""
    _draw_series(axis, cost['ms'], routes)
    size = cost['size']
    if size['paper'].get('gudhi_ms') is not None:
        axis.plot(
            [size['paper']['gudhi_ms']],
            [len(routes) - 1],
            marker='|',
            color='black',
            markersize=14,
            linestyle='none',
            label="the paper's gudhi (AMD Epyc 7742)",
        )
    axis.set_xscale('log')
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel('milliseconds an image')
    axis.grid(axis='x', which='major', alpha=0.4)
    axis.set_title(f'{size["name"]}\n{size["num_points"]} points of width {size["width"]}', fontsize=10)


def _draw_series(axis: Any, times: dict[str, dict[str, float]], routes: Sequence[str]) -> None:
    """Draw a marker a route and number of clouds; labels of the first series stand above, the others' below them."""
    for index, count in enumerate(times[routes[0]]):
        values = [times[route][count] for route in routes]
        # open markers, because times of the two often lie on each other
        axis.plot(
            values,
            range(len(routes)),
            MARKERS[index],
            color=COLORS[index],
            markersize=6 + 3 * index,
            zorder=3,
            markerfacecolor=COLORS[index] if index == 0 else 'none',
            markeredgewidth=1.6,
            label=f'{count} cloud{"s" * (count != "1")} a call',
        )
        for row, value in enumerate(values):
            axis.annotate(
                f'{float(f"{value:.2g}"):g}',  # two digits, and never '1.2e+02'
                (value, row),
                xytext=(0, 9 if index == 0 else -17),
                textcoords='offset points',
                ha='center',
                fontsize=8.5,
                color=COLORS[index],
            )
