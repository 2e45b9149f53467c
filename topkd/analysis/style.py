"""The style of all figures: colors that everybody can tell apart, in print and in gray too."""

from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Okabe and Ito's palette, told apart by every kind of color vision; lines also differ by dash, points by marker
COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
DASHES = ('-', '--', '-.', ':', (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKERS = ('o', 's', '^', 'D', 'v', 'P', 'X')


def new_figure(width: float, height: float, **subplots: Any) -> tuple[Figure, Any]:
    """Make a figure without a window system, and its axes.

    Args:
        width (float): In inches.
        height (float): In inches.
        **subplots (Any): As in matplotlib's ``Figure.subplots``.

    Returns:
        tuple: The figure, and its axes as ``Figure.subplots`` returns them.

    Example:
        >>> figure, axes = new_figure(4, 3, ncols=2)
        >>> len(axes), figure.get_size_inches().tolist()
        (2, [4.0, 3.0])
    """
    figure = Figure(figsize=(width, height), layout='constrained')
    FigureCanvasAgg(figure)
    return figure, figure.subplots(**subplots)


def save_figure(figure: Figure, path: str) -> None:
    """Write a PNG at 200 dots per inch.

    Example:
        >>> save_figure(new_figure(4, 3)[0], 'figure.png')
    """
    figure.savefig(path, dpi=200)


def as_pixels(figure: Figure, dpi: int = 100) -> np.ndarray:
    """Draw a figure of :func:`new_figure` into memory, for visualizer backends that take pictures.

    Args:
        figure (Figure): Any.
        dpi (int): Dots per inch. Defaults to 100.

    Returns:
        np.ndarray: RGB, uint8 (H, W, 3).

    Example:
        >>> as_pixels(new_figure(2, 1)[0], dpi=50).shape
        (50, 100, 3)
    """
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def line_style(place: int) -> tuple[str, Any]:
    """Return color and dash of a figure's line; a color that comes again has another dash.

    Args:
        place (int): Of the line among the figure's, from 0.

    Example:
        >>> line_style(0), line_style(7)
        (('#0072B2', '-'), ('#0072B2', '--'))
    """
    turn, number = divmod(place, len(COLORS))
    return COLORS[number], DASHES[(number + turn) % len(DASHES)]


def pixel_edges(first: float, last: float, count: int) -> tuple[float, float]:
    """Return the outer edges of pixels whose centers lie evenly between two values, of width 1 if these agree.

    Args:
        first (float): Center of the first pixel.
        last (float): Center of the last pixel.
        count (int): Number of pixels.

    Example:
        >>> pixel_edges(0.0, 3.0, 4)
        (-0.5, 3.5)
        >>> pixel_edges(2.0, 2.0, 4)
        (0.0, 4.0)
    """
    half = (last - first) / (2 * max(count - 1, 1))
    return (first - half, last + half) if half > 0 else (first - count / 2, first + count / 2)
