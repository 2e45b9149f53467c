"""The hand-written loop of benchmarks/methods.py computes what the distiller computes, and its memory is counted."""

import importlib.util
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
SPEC = importlib.util.spec_from_file_location('methods_benchmark', ROOT / 'benchmarks' / 'methods.py')
methods = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(methods)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (8, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return dict(inputs=images, gt_label=torch.arange(8), sample_idx=torch.arange(8))


@pytest.mark.parametrize('name', ['at', 'crcd', 'simkd', 'norm', 'ofd'])
def test_the_loop_computes_the_same(name, batch):
    step = methods.Step(ROOT / 'configs' / 'methods' / f'{name}_{methods.PAIR}.py', 8, 'cpu')
    loop = methods.HandWritten(step)
    torch.manual_seed(1)
    data = step.model.data_preprocessor(batch, True)
    losses = step.model.loss(data['inputs'], data['data_samples'])
    expected = sum(value.item() for key, value in losses.items() if key.startswith('loss'))
    torch.manual_seed(1)
    assert loop(batch) == pytest.approx(expected, rel=1e-4)


def test_memory_and_names():
    assert methods.peak_memory(lambda batch: torch.zeros(1000).sum() + torch.zeros(500).sum(), {}, 'cpu') >= 4000
    assert methods.peak_memory(lambda batch: torch.zeros(1000).sum() + torch.zeros(500).sum(), {}, 'cpu') < 8000
    assert methods.names()['catkd'] == 'CAT-KD'
