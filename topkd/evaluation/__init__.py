"""Metrics of images, diagrams and embeddings."""

from topkd.evaluation.image_error import ImageError

__all__ = ['ImageError']
