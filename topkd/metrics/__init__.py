"""Metrics that configs name in their evaluators."""

from topkd.metrics.image_error import ImageError

__all__ = ['ImageError']
