"""Exact and approximated persistence images side by side."""
from typing import Optional, Sequence

import numpy as np
from torch import Tensor

from topkd.visualization.style import COLORS, new_figure, save_figure


def plot_image_comparison(exact: Tensor,
                          approximated: Tensor,
                          labels: Sequence[str],
                          path: str,
                          im_range: Sequence[float],
                          resolution: Sequence[int] = (20, 20),
                          title: Optional[str] = None) -> None:
    """Draw one column a cloud: the exact image, RipsNet's, and both as curves over persistence.

    In dimension 0 all births are 0, so every row of an image is constant and the curve holds all there is to see.

    Args:
        exact (Tensor): (B, P), in [0, 1].
        approximated (Tensor): (B, P).
        labels (Sequence[str]): One a cloud.
        path (str): PNG to write.
        im_range (Sequence[float]): (least birth, greatest birth, least persistence, greatest persistence).
        resolution (Sequence[int]): Columns and rows of the images. Defaults to (20, 20).
        title (str, optional): Heading of the figure.

    Raises:
        ValueError: Where the shapes differ or do not fit the resolution.
    """
    if exact.shape != approximated.shape or exact.shape[1] != resolution[0] * resolution[1]:
        raise ValueError(f'expected two sets of images of {resolution[0]} x {resolution[1]} pixels, got {tuple(exact.shape)} '
                         f'and {tuple(approximated.shape)}')
    rows, columns = resolution[1], resolution[0]
    images = [group.detach().cpu().reshape(-1, rows, columns).numpy() for group in (exact, approximated)]
    top = max(group.max() for group in images)
    count = len(labels)
    figure, axes = new_figure(2.3 * count + 1.6, 7.2, nrows=3, ncols=count, squeeze=False)
    # a range of births of no width would leave nothing to draw on
    extent = (im_range[0], max(im_range[1], im_range[0] + 1e-3), im_range[2], im_range[3])
    persistence = np.linspace(im_range[2], im_range[3], rows)
    for column, label in enumerate(labels):
        for row, (group, name) in enumerate(zip(images, ('exact', 'RipsNet'))):
            shown = axes[row, column].imshow(group[column], origin='lower', extent=extent, aspect='auto', cmap='viridis',
                                             vmin=0, vmax=top)
            axes[row, column].set_xticks([] if im_range[0] == im_range[1] else [extent[0], extent[1]])
        axes[0, column].set_title(label, fontsize=10)
        axes[1, column].set_xlabel('birth' + (' (all 0)' if im_range[0] == im_range[1] == 0 else ''))
        axes[2, column].plot(images[0][column].mean(1), persistence, color=COLORS[0], label='exact')
        axes[2, column].plot(images[1][column].mean(1), persistence, color=COLORS[1], linestyle='--', label='RipsNet')
        axes[2, column].set_xlim(0, top * 1.05)
        axes[2, column].set_ylim(im_range[2], im_range[3])
        axes[2, column].set_xlabel('mean intensity')
    for row, name in enumerate(('exact', 'RipsNet', 'both')):
        axes[row, 0].set_ylabel(f'{name}\npersistence')
    for row in range(3):
        for column in range(1, count):
            axes[row, column].set_yticklabels([])
    axes[2, 0].legend(fontsize=8, loc='upper right')
    figure.colorbar(shown, ax=axes[:2, :], label='pixel value (1 = greatest of the training clouds)', shrink=0.8)
    if title:
        figure.suptitle(title, fontsize=11)
    save_figure(figure, path)
