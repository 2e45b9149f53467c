"""Persistence diagram, barcode and persistence image of point clouds (Fig. 6)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from topkd.analysis.diagram.cloud_topology import CloudTopology
from topkd.analysis.style import COLORS, MARKERS, new_figure, pixel_edges, save_figure

NO_IMAGE = 'no image: of the first 200 classes\nno two are more than 1e-5 apart'


def plot_diagrams(clouds: dict[str, CloudTopology], spec: dict | None, path: str, unit: str = 'distance') -> None:
    """Draw one row a cloud: diagram, barcode, image; all rows on the same scales.

    The class that never dies, one in dimension 0, is not part of the diagrams and not drawn.

    Args:
        clouds (dict): By name, see :func:`topkd.analysis.diagram.cloud_topology.cloud_topology`.
        spec (dict, optional): Of the images; None if there are none.
        path (str): PNG to write.
        unit (str): Of births, deaths and persistences, for the axes. Defaults to 'distance'.

    Example:
        >>> plot_diagrams(dict(cloud=CloudTopology({0: np.array([[0.0, 1.0]])}, image=None)), None, 'diagram.png')
    """
    figure, axes = new_figure(11, 3.5 * len(clouds), nrows=len(clouds), ncols=3, squeeze=False)
    everything = [diagram for cloud in clouds.values() for diagram in cloud.diagrams.values()]
    limit = 1.05 * max([float(diagram.max()) for diagram in everything if len(diagram)] or [1.0]) or 1.0
    greatest = max([float(cloud.image.max()) for cloud in clouds.values() if cloud.image is not None] or [1.0])
    for row, (name, cloud) in zip(axes, clouds.items()):
        _diagram(row[0], cloud.diagrams, limit)
        _barcode(row[1], cloud.diagrams, limit)
        _image(figure, row[2], cloud.image, spec, greatest)
        row[0].set_ylabel((f'{name}\n' if len(clouds) > 1 else '') + f'death ({unit})')
        row[0].set_xlabel(f'birth ({unit})')
        row[2].set_xlabel(f'birth ({unit})')
        row[2].set_ylabel(f'persistence ({unit})')
        row[1].set_xlabel(f'filtration value ({unit})')
    for axis, title in zip(axes[0], ('persistence diagram', 'barcode', 'persistence image')):
        axis.set_title(title, fontsize=10)
    save_figure(figure, path)


def _diagram(axis: Axes, diagrams: dict[int, np.ndarray], limit: float) -> None:
    axis.plot([0, limit], [0, limit], color='gray', linestyle='--', linewidth=1)
    for place, (dim, diagram) in enumerate(diagrams.items()):
        axis.scatter(
            diagram[:, 0],
            diagram[:, 1],
            s=16,
            marker=MARKERS[place],
            facecolors='none',
            edgecolors=COLORS[place],
            linewidths=0.9,
            label=f'dimension {dim} ({len(diagram)})',
            clip_on=False,
            zorder=3,
        )
    axis.set_xlim(-0.03 * limit, limit)
    axis.set_ylim(0, limit)
    axis.legend(fontsize=8, loc='lower right')


def _barcode(axis: Axes, diagrams: dict[int, np.ndarray], limit: float) -> None:
    """Stack the dimensions, each as high as it has bars, but high enough for its label."""
    count = sum(map(len, diagrams.values()))
    least, start, centers = max(0.08 * count, 1), 0.0, []
    for place, bars in enumerate(diagrams.values()):
        bars = bars[np.lexsort((bars[:, 1], bars[:, 0]))]
        height = max(len(bars), least)
        heights = start + (height - len(bars)) / 2 + np.arange(len(bars)) + 0.5
        width = float(np.clip(130 / max(count, 1), 0.3, 4))
        axis.hlines(heights, bars[:, 0], bars[:, 1], color=COLORS[place], linewidth=width)
        centers.append(start + height / 2)
        start += height + least / 2
        if place + 1 < len(diagrams):
            axis.axhline(start - least / 4, color='gray', linestyle=':', linewidth=1)
    axis.set_yticks(centers, [f'dim. {dim}' for dim in diagrams])
    axis.tick_params(axis='y', length=0)
    axis.set_xlim(0, limit)
    axis.set_ylim(-least / 4, start - least / 4)


def _image(figure: Figure, axis: Axes, image: np.ndarray | None, spec: dict | None, greatest: float) -> None:
    if image is None or spec is None:
        axis.text(0.5, 0.5, NO_IMAGE, ha='center', va='center', fontsize=9, transform=axis.transAxes)
        axis.set_xticks([])
        axis.set_yticks([])
        return
    # the range's ends are the centers of the outermost pixels; where it has no width, the pixels get one
    rows, columns = image.shape
    least_birth, greatest_birth, least, most = spec['im_range']
    (left, right), (low, high) = pixel_edges(least_birth, greatest_birth, columns), pixel_edges(least, most, rows)
    shown = axis.imshow(
        image, origin='lower', extent=(left, right, low, high), aspect='auto', cmap='viridis', vmin=0, vmax=greatest
    )
    if least_birth == greatest_birth:
        axis.set_xticks([columns / 2 + left], [f'{least_birth:g}'])
    figure.colorbar(shown, ax=axis, label='pixel value')
