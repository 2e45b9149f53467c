"""Diagrams of teacher and students side by side, and how far they are apart."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from topkd.analysis.bottleneck.diagrams import ScaledDiagrams
from topkd.analysis.bottleneck.distances import OTHER_IMAGES, Distances
from topkd.analysis.style import COLORS, DASHES, MARKERS, new_figure, save_figure
from topkd.analysis.trained_students import TEACHER

BLACK = COLORS[-1]
UNITS = {'as is': 'feature distance', 'scale-free': "cloud's mean distance = 1"}


def plot_bottleneck(diagrams: Sequence[ScaledDiagrams], distances: Sequence[Distances], path: str) -> None:
    """Draw one row a dimension and scale: shares of persistences on the left, distances to the teacher on the right.

    On the right, every dot is a cloud, the bold marker their mean, the bar one standard deviation to each side. Below a
    name stands the share of clouds whose distance is at its cap, if there are any.

    Args:
        diagrams (Sequence[ScaledDiagrams]): See :func:`topkd.analysis.bottleneck.diagrams.collect_diagrams`.
        distances (Sequence[Distances]): See :func:`topkd.analysis.bottleneck.distances.distances_to_teacher`.
        path (str): PNG to write.

    Example:
        >>> diagrams = [ScaledDiagrams(0, 'as is', {name: [np.array([[0.0, 4.0]])] for name in ('teacher', 'KD')})]
        >>> plot_bottleneck(diagrams, [Distances('KD', 0, 'as is', [1.0], [2.0])], 'bottleneck.png')
    """
    rows = max(len([row for row in distances if (row.homology_dim, row.scale) == group[:2]]) for group in diagrams)
    figure, axes = new_figure(
        9.2, max(2.5, 0.4 * rows + 1.3) * len(diagrams), nrows=len(diagrams), ncols=2, squeeze=False
    )
    for (left, right), group in zip(axes, diagrams):
        _shares(left, group)
        _distances(
            right, [row for row in distances if (row.homology_dim, row.scale) == group[:2]], list(group.networks)
        )
        quantity = 'death' if group.homology_dim == 0 else 'persistence'
        left.set_xlabel(f'{quantity} ({UNITS[group.scale]})')
        right.set_xlabel(f'bottleneck distance ({UNITS[group.scale]})')
        left.set_ylabel(f'share of {quantity}s')
        left.set_title(f'dimension {group.homology_dim}, {group.scale}', fontsize=10, loc='left')
        right.set_title("distance to the teacher's diagram", fontsize=10, loc='left')
    axes[0, 0].legend(fontsize=8, loc='lower right')
    save_figure(figure, path)


def _look(name: str, networks: Sequence[str]) -> dict:
    """Return a network's color, dash and marker: the teacher black, students as the style has them."""
    if name in (TEACHER, OTHER_IMAGES):
        return dict(color=BLACK, linestyle='-', marker='X')
    place = list(networks).index(name) - 1
    return dict(
        color=COLORS[place % (len(COLORS) - 1)],
        linestyle=DASHES[1:][place % (len(DASHES) - 1)],
        marker=MARKERS[place % (len(MARKERS) - 1)],
    )


def _shares(axis: Axes, group: ScaledDiagrams) -> None:
    for name, diagrams in group.networks.items():
        persistences = np.sort(np.concatenate([diagram[:, 1] - diagram[:, 0] for diagram in diagrams]))
        look = _look(name, list(group.networks))
        shares = np.arange(1, len(persistences) + 1) / max(len(persistences), 1)
        axis.step(persistences, shares, where='post', label=name, color=look['color'], linestyle=look['linestyle'])
    axis.set_ylim(0, 1.02)


def _distances(axis: Axes, rows: list[Distances], networks: Sequence[str]) -> None:
    generator = np.random.default_rng(0)
    for place, row in enumerate(rows):
        look = _look(row.network, networks)
        spread = place + generator.uniform(-0.25, 0.25, len(row.values))
        axis.plot(row.values, spread, '.', color=look['color'], markersize=3, alpha=0.35, markeredgewidth=0)
        summary = row.plain()
        axis.errorbar(
            summary['mean'],
            place,
            xerr=summary['std'],
            fmt=look['marker'],
            color=look['color'],
            markersize=8,
            capsize=5,
            markeredgecolor='white',
            linewidth=2,
        )
    axis.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlim(left=0)


def _label(row: Distances) -> str:
    at_cap = row.plain()['at_cap']
    return row.network.replace(', ', ',\n') + (f'\n({at_cap:.0%} at the cap)' if at_cap else '')
