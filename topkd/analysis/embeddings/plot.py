"""Embeddings of several networks in the plane, one panel a network."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from topkd.analysis.style import COLORS, MARKERS, new_figure, save_figure

# seven colors and ten markers: the pairs repeat after 70 classes only, and ten classes differ by marker alone
CLASS_MARKERS = (*MARKERS, '<', '>', '*')
COLUMNS = 4


def plot_embeddings(
    planes: dict[str, np.ndarray],
    labels: np.ndarray,
    names: dict[int, str],
    path: str,
    axis_label: str = 'UMAP',
    notes: dict[str, str] | None = None,
    title: str | None = None,
) -> None:
    """Draw the images of some classes, each class by its own color and marker, with one legend for all panels.

    Args:
        planes (dict): Points (N, 2) by network.
        labels (np.ndarray): (N, ) classes.
        names (dict): Of the classes.
        path (str): PNG to write.
        axis_label (str): What the axes are; the number of the axis follows. Defaults to 'UMAP'.
        notes (dict, optional): A second line of each panel's heading, by network.
        title (str, optional): Heading of the figure.

    Example:
        >>> planes = dict(teacher=np.array([[0.0, 1.0], [1.0, 0.0]]))
        >>> plot_embeddings(planes, np.array([0, 1]), {0: 'apple', 1: 'bear'}, 'embeddings.png')
    """
    columns = min(len(planes), COLUMNS)
    rows = math.ceil(len(planes) / columns)
    figure, axes = new_figure(3.3 * columns + 1.7, 3.3 * rows + 0.3, nrows=rows, ncols=columns, squeeze=False)
    for axis in axes.flat[len(planes) :]:
        axis.set_axis_off()
    classes = np.unique(labels).tolist()
    for axis, (network, plane) in zip(axes.flat, planes.items()):
        _scatter(axis, plane, labels, classes)
        note = (notes or {}).get(network)
        axis.set_title(network + (f'\n{note}' if note else ''), fontsize=10)
        _label(axis, axis_label)
    figure.legend(
        axes[0, 0].collections,
        [names.get(number, str(number)).replace('_', ' ') for number in classes],
        loc='outside right center',
        fontsize=9,
        markerscale=2,
        title='class',
        frameon=False,
        ncols=math.ceil(len(classes) / (12 * rows)),
    )
    if title:
        figure.suptitle(title, fontsize=11)
    save_figure(figure, path)


def _label(axis: Axes, label: str) -> None:
    axis.set_xlabel(f'{label} 1')
    axis.set_ylabel(f'{label} 2')
    axis.tick_params(labelsize=8)
    axis.set_aspect('equal', adjustable='datalim')  # what counts in the plane is distance


def _scatter(axis: Axes, plane: np.ndarray, labels: np.ndarray, classes: Sequence[int]) -> None:
    for place, number in enumerate(classes):
        color, marker = COLORS[place % len(COLORS)], CLASS_MARKERS[place % len(CLASS_MARKERS)]
        # where a color comes back, its markers are hollow
        face = color if place // len(COLORS) % 2 == 0 else 'none'
        across, up = plane[labels == number].T
        axis.scatter(across, up, s=10, facecolors=face, edgecolors=color, alpha=0.8, linewidths=0.7, marker=marker)
