"""The metric of RipsNet's validation: its number, and that naming it draws in no plotting library."""

import subprocess
import sys

import pytest
import torch

from topkd.metrics import ImageError


def test_metric_weighs_every_pixel_alike():
    metric = ImageError()
    torch.manual_seed(0)
    pairs = [(torch.rand(count, 6), torch.rand(count, 6)) for count in (4, 1)]
    for predicted, images in pairs:
        metric.process(None, [dict(predicted=predicted, images=images)])
    predicted, images = (torch.cat(group) for group in zip(*pairs))
    assert metric.compute_metrics(metric.results)['mse'] == pytest.approx((predicted - images).square().mean().item())


def test_a_config_that_names_it_imports_neither_plots_nor_analyses():
    code = (
        'import sys; from topkd.registry import METRICS; assert METRICS.get("topkd.ImageError") is not None; '
        'print([name for name in ("matplotlib", "topkd.analysis", "topkd.models") if name in sys.modules])'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout.strip().splitlines()[-1] == '[]', done.stderr
