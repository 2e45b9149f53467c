"""Figures as arrays, for visualizer backends that take pictures."""
import numpy as np
from matplotlib.figure import Figure


def as_pixels(figure: Figure, dpi: int = 100) -> np.ndarray:
    """Draw a figure of :func:`topkd.visualization.style.new_figure` into memory.

    Args:
        figure (Figure): Drawn by matplotlib's Agg canvas.
        dpi (int): Dots per inch. Defaults to 100.

    Returns:
        np.ndarray: RGB, uint8 (H, W, 3).
    """
    figure.set_dpi(dpi)
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
