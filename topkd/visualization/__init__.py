"""Pictures that explain what the topology term sees."""

from topkd.visualization.image_comparison import plot_image_comparison

__all__ = ['plot_image_comparison']
