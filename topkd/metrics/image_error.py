"""How far approximated persistence images are from exact ones."""

from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import BaseMetric

from topkd.registry import METRICS


@METRICS.register_module()
class ImageError(BaseMetric):
    """Mean squared error over all pixels of all clouds, as ``mse``.

    Example:
        >>> import torch
        >>> metric = ImageError(prefix='ripsnet')
        >>> metric.process(None, [dict(predicted=torch.ones(2, 4), images=torch.zeros(2, 4))])
        >>> metric.compute_metrics(metric.results)
        {'mse': 1.0}

    Source: Equation 2; the validation losses of Tables 14 to 19.
    """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add up the squared errors of batches of images (B, P)."""
        for sample in data_samples:
            difference = (sample['predicted'] - sample['images']).double()
            self.results.append((difference.square().sum().item(), difference.numel()))

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Divide the sum of all squared errors by the number of pixels."""
        return dict(mse=sum(error for error, _ in results) / sum(count for _, count in results))
