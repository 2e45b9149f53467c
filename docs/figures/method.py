"""Draw docs/figures/method.png: from a batch of embeddings to the topology loss, for a teacher and a student."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import ConnectionPatch
from torch import Tensor

from topkd.topology import PersistenceImager, minimum_spanning_tree, rips_diagrams

POINTS = 40
TEACHER, STUDENT = '#20639b', '#d1495b'


def clouds() -> dict[str, Tensor]:
    """Return two clouds (n, 2): a ring beside a cluster, and a student's blurred version of it."""
    generator = torch.Generator().manual_seed(4)
    angle = torch.rand(POINTS * 5 // 8, generator=generator) * 2 * torch.pi
    ring = torch.stack([angle.cos(), angle.sin()], 1) + 0.08 * torch.randn(len(angle), 2, generator=generator)
    cluster = torch.tensor([2.4, 0.0]) + 0.3 * torch.randn(POINTS - len(ring), 2, generator=generator)
    teacher = torch.cat([ring, cluster])
    return dict(teacher=teacher, student=0.8 * teacher + 0.22 * torch.randn(POINTS, 2, generator=generator))


def draw_cloud(axes: plt.Axes, points: Tensor, color: str) -> None:
    """Draw a cloud with its minimum spanning tree, whose edges are the deaths of dimension 0."""
    distances = torch.cdist(points, points)[None]
    first, second = minimum_spanning_tree(distances)[0].T.tolist()
    for i, j in zip(first, second):
        axes.plot(*points[[i, j]].T.tolist(), color=color, alpha=0.35, linewidth=1)
    axes.scatter(*points.T.tolist(), s=16, color=color)
    axes.set(xlim=(-1.9, 3.7), ylim=(-1.9, 1.9), xticks=[], yticks=[])


def draw_diagram(axes: plt.Axes, diagrams: list[Tensor], color: str, limit: float) -> None:
    """Draw the points (birth, death) of dimension 0 as dots and of dimension 1 as triangles."""
    axes.plot([0, limit], [0, limit], color='0.7', linewidth=1)
    for diagram, marker, words in zip(diagrams, 'o^', ('components', 'loops')):
        axes.scatter(*diagram.T.tolist(), s=18, marker=marker, color=color, alpha=0.7, label=words, clip_on=False)
    axes.set(xlim=(-0.03 * limit, limit), ylim=(0, limit), xlabel='birth', ylabel='death', xticks=[], yticks=[])
    axes.legend(loc='lower right', frameon=False, fontsize=8)


def main() -> None:
    """Write the picture."""
    found = clouds()
    # one diagram a dimension, to be drawn apart; one of both, to be turned into an image
    apart = {name: [rips_diagrams(points[None], (dim,))[0] for dim in (0, 1)] for name, points in found.items()}
    both = {name: rips_diagrams(points[None], (0, 1)) for name, points in found.items()}
    imager = PersistenceImager((20, 20)).fit([diagram for diagrams in both.values() for diagram in diagrams])
    limit = 1.1 * max(diagram.max().item() for diagrams in both.values() for diagram in diagrams)
    # a fitted range ends at the outermost points; here they are shown whole, by the births of the diagram
    imager.im_range.copy_(torch.tensor([-0.03 * limit, limit, 0.0, 0.7 * limit]))
    imager.update_scale([diagram for diagrams in both.values() for diagram in diagrams])
    images = {name: imager(diagrams)[0].reshape(20, 20) for name, diagrams in both.items()}
    figure, grid = plt.subplots(2, 3, figsize=(9.6, 5.2), gridspec_kw=dict(width_ratios=(1.5, 1, 1)))
    for row, (name, color) in zip(grid, dict(teacher=TEACHER, student=STUDENT).items()):
        draw_cloud(row[0], found[name], color)
        draw_diagram(row[1], apart[name], color, limit)
        row[2].imshow(images[name], origin='lower', cmap='viridis', vmin=0, vmax=1, aspect='auto')
        row[2].set(xticks=[], yticks=[], xlabel='birth', ylabel='persistence')
        row[0].set_ylabel(name, fontsize=12, color=color)
    titles = ('a batch of embeddings:\na point cloud', 'its persistence diagram', 'its persistence image')
    for axes, title in zip(grid[0], titles):
        axes.set_title(title, fontsize=11)
    figure.tight_layout(rect=(0, 0, 0.86, 1), h_pad=1.6)
    ends = dict(xyA=(1.04, 0.5), xyB=(1.04, 0.5), coordsA='axes fraction', coordsB='axes fraction')
    style = dict(arrowstyle='<->', connectionstyle='arc3,rad=-0.5', color='0.3', linewidth=1.5)
    figure.add_artist(ConnectionPatch(axesA=grid[0, 2], axesB=grid[1, 2], **ends, **style))
    figure.text(
        0.93, 0.5, 'topology loss:\nmean squared\nerror', ha='center', va='center', fontsize=10, backgroundcolor='white'
    )
    figure.savefig(Path(__file__).with_suffix('.png'), dpi=150)


if __name__ == '__main__':
    main()
