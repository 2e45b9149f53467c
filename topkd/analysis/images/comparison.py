"""The picture of exact and approximated persistence images side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from topkd.analysis.style import COLORS, DASHES, new_figure, pixel_edges, save_figure

REFERENCE = dict(color='black', linestyle=':', linewidth=1.2)


def plot_image_comparison(
    exact: Tensor,
    approximated: Tensor,
    labels: Sequence[str],
    path: str,
    im_range: Sequence[float],
    resolution: Sequence[int] = (20, 20),
    title: str | None = None,
) -> None:
    """Draw one column a cloud: the exact image, RipsNet's, and both as curves over persistence.

    Args:
        exact (Tensor): (B, P), in [0, 1].
        approximated (Tensor): (B, P).
        labels (Sequence[str]): One a cloud.
        path (str): PNG to write.
        im_range (Sequence[float]): (least birth, greatest birth, least persistence, greatest persistence), which are
            the centers of the outermost pixels.
        resolution (Sequence[int]): Columns and rows of the images. Defaults to (20, 20).
        title (str, optional): Heading of the figure.

    Raises:
        ValueError: If the shapes differ or do not fit the resolution.

    Example:
        >>> import torch
        >>> images = torch.rand(2, 400)
        >>> plot_image_comparison(images, images, ['cloud 0', 'cloud 1'], 'images.png', im_range=(0.0, 1.0, 0.0, 2.0))
    """
    save_figure(image_figure(dict(exact=exact, RipsNet=approximated), labels, im_range, resolution, title), path)


def image_figure(
    images: dict[str, Tensor],
    labels: Sequence[str],
    im_range: Sequence[float] | None = None,
    resolution: Sequence[int] = (20, 20),
    title: str | None = None,
    reference: bool = False,
) -> Figure:
    """Draw one column a cloud: a row for every kind of image, and all kinds as curves over persistence.

    In dimension 0 all births are 0, so every row of an image is constant and the curve holds all there is to see.

    Args:
        images (dict[str, Tensor]): By kind, such as 'exact' and 'RipsNet', images (B, P) in [0, 1].
        labels (Sequence[str]): One a cloud.
        im_range (Sequence[float], optional): (least birth, greatest birth, least persistence, greatest persistence).
            None: the axes count pixels.
        resolution (Sequence[int]): Columns and rows of the images. Defaults to (20, 20).
        title (str, optional): Heading of the figure.
        reference (bool): Whether the first cloud's first curve is repeated, dotted, in all other columns.

    Returns:
        Figure: To be saved, or turned into pixels.

    Raises:
        ValueError: If the shapes differ or do not fit the resolution.

    Example:
        >>> import torch
        >>> figure = image_figure(dict(exact=torch.rand(2, 20)), ['cloud 0', 'cloud 1'], resolution=(1, 20))
        >>> len(figure.axes) >= 4
        True
    """
    columns, rows = resolution
    shapes = [tuple(group.shape) for group in images.values()]
    if set(shapes) != {(len(labels), columns * rows)}:
        raise ValueError(
            f'expected {len(labels)} images of {columns} x {rows} pixels of every kind, got '
            f'{" and ".join(map(str, shapes))}'
        )
    grids = {kind: group.detach().cpu().reshape(-1, rows, columns).numpy() for kind, group in images.items()}
    count, height = len(labels), 2.4 * (len(grids) + 1)
    figure, axes = new_figure(2.3 * count + 1.6, height, nrows=len(grids) + 1, ncols=count, squeeze=False)
    shown = _draw_images(axes, grids, im_range)
    _draw_curves(axes[-1], grids, im_range, f'{labels[0].splitlines()[0]}, {next(iter(grids))}' if reference else None)
    _label(axes, labels, list(grids), 'persistence' if im_range is not None else 'row of the image')
    _explain(figure, axes, shown, '\n(1 = greatest of the training clouds)' if len(grids) > 1 else '')
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _explain(figure: Figure, axes: np.ndarray, shown: Any, unit: str) -> None:
    """Add a legend of the curves and a bar of the images' values."""
    handles = {line.get_label(): line for axis in axes[-1] for line in axis.lines}
    figure.legend(
        handles.values(), handles.keys(), loc='outside lower center', ncol=len(handles), frameon=False, fontsize=9
    )
    figure.colorbar(shown, ax=axes[:-1, :], label=f'pixel value{unit}', shrink=0.9)


def _label(axes: np.ndarray, labels: Sequence[str], kinds: Sequence[str], vertical: str) -> None:
    """Write the cloud above every column, and the kind of image beside every row."""
    for column, label in enumerate(labels):
        axes[0, column].set_title(label, fontsize=10)
        for row in range(len(axes) if column else 0):
            axes[row, column].set_yticklabels([])
    for row, kind in enumerate([*kinds, 'all' if len(kinds) > 2 else 'both' if len(kinds) == 2 else kinds[0]]):
        axes[row, 0].set_ylabel(f'{kind}\n{vertical}')


def _draw_images(axes: np.ndarray, grids: dict[str, np.ndarray], im_range: Sequence[float] | None) -> Any:
    """Fill all rows but the last, on one scale of colors, and return one of the pictures."""
    (left, right), (low, high) = _edges(grids, im_range)
    first, last, _, _ = _centers(grids, im_range)
    flat = im_range is not None and first == last
    top = max(group.max() for group in grids.values())
    for row, group in enumerate(grids.values()):
        for axis, grid in zip(axes[row], group):
            shown = axis.imshow(
                grid,
                origin='lower',
                extent=(left, right, low, high),
                aspect='auto',
                cmap='viridis',
                vmin=0,
                vmax=max(top, 1e-12),
            )
            axis.set_xticks([] if flat else (first, last))
    birth = 'birth' if im_range is not None else 'column of the image'
    for axis in axes[len(grids) - 1]:
        axis.set_xlabel(birth + (' (all 0)' if flat and first == 0 else ''))
    return shown


def _draw_curves(
    axes: np.ndarray, grids: dict[str, np.ndarray], im_range: Sequence[float] | None, reference: str | None
) -> None:
    """Fill the last row with the means over the births; ``reference`` names the first curve in the other columns."""
    _, _, low, high = _centers(grids, im_range)
    means = {kind: group.mean(axis=2) for kind, group in grids.items()}
    top = max(group.max() for group in means.values())
    persistence = np.linspace(low, high, next(iter(means.values())).shape[1])
    for column, axis in enumerate(axes):
        if reference and column:
            axis.plot(next(iter(means.values()))[0], persistence, label=reference, **REFERENCE)
        for index, (kind, group) in enumerate(means.items()):
            axis.plot(group[column], persistence, color=COLORS[index], linestyle=DASHES[index], label=kind)
        axis.set_xlim(0, max(top, 1e-12) * 1.05)
        axis.set_ylim(*_edges(grids, im_range)[1])
        axis.set_xlabel('mean over births')


def _centers(grids: dict[str, np.ndarray], im_range: Sequence[float] | None) -> Sequence[float]:
    """Return the centers of first and last column and of first and last row: the range, or numbers of pixels."""
    rows, columns = next(iter(grids.values())).shape[1:]
    return (0, columns - 1, 0, rows - 1) if im_range is None else im_range


def _edges(grids: dict[str, np.ndarray], im_range: Sequence[float] | None) -> Sequence[tuple[float, float]]:
    """Return left and right edge, and lower and upper edge of the images."""
    rows, columns = next(iter(grids.values())).shape[1:]
    left, right, low, high = _centers(grids, im_range)
    return pixel_edges(left, right, columns), pixel_edges(low, high, rows)
