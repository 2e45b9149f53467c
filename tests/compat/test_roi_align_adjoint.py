"""The matrix form of RoIAlign's gradient against torchvision's kernel, which the neighboring test checks."""

import pytest
import torch
import torchvision
from mmcv.ops import roi_align

from topkd.compat import roi_align_adjoint as module
from topkd.compat.roi_align_adjoint import axis_weights, roi_align_adjoint

SHAPE = (3, 4, 10, 13)


def random_rois(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    image = torch.randint(0, 2, (n, 1), generator=generator).double()  # none on the last image
    first = torch.rand(n, 2, generator=generator, dtype=torch.float64) * 30 - 5
    size = torch.rand(n, 2, generator=generator, dtype=torch.float64) * 25
    return torch.cat((image, first, first + size), dim=1)


@pytest.mark.parametrize('bins', [(7, 7), (14, 14), (1, 1), (2, 5)])
@pytest.mark.parametrize('ratio', [0, 2])
@pytest.mark.parametrize('aligned', [True, False])
def test_matches_torchvision(monkeypatch, bins, ratio, aligned):
    monkeypatch.setattr(module, 'CHUNK_REGIONS', 7)  # several chunks of one image
    rois = torch.cat((random_rois(20), torch.tensor([[0, 5.0, 5.0, 5.0, 5.0], [1, 90.0, 90.0, 99.0, 99.0]])))
    inputs = torch.zeros(SHAPE, dtype=torch.float64, requires_grad=True)
    output = torchvision.ops.roi_align(inputs, rois, bins, 0.5, ratio, aligned)
    grad = torch.randn(output.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    output.backward(grad)
    result = roi_align_adjoint(grad, rois, SHAPE, 0.5, ratio, aligned)
    torch.testing.assert_close(result, inputs.grad)
    assert result[0].abs().sum() > 0 and result[2].abs().sum() == 0


def test_no_regions_give_a_zero_gradient():
    result = roi_align_adjoint(torch.zeros(0, 4, 7, 7), torch.zeros(0, 5), SHAPE, 0.5, 0, True)
    assert torch.equal(result, torch.zeros(SHAPE))


def test_weights_of_one_bin_by_hand():
    # One bin from 1 to 3 with two samples, at 1.5 and 2.5: pixels 1 and 2 share the first, 2 and 3 the second.
    weights = axis_weights(torch.tensor([1.0]), torch.tensor([2.0]), 1, 5, 2)
    assert weights.tolist() == [[[0.0, 0.25, 0.5, 0.25, 0.0]]]


@pytest.mark.skipif(not torch.cuda.is_available(), reason='torchvision is deterministic on the CPU')
def test_deterministic_mode_trains_on_the_gpu(recwarn):
    rois = random_rois(300).float()
    grads = []
    # warn_only: whether cuBLAS is deterministic is settled before the process starts and not what is tested here.
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        for device in ('cpu', 'cuda', 'cuda'):
            inputs = torch.ones(SHAPE, device=device, requires_grad=True)
            roi_align(inputs, rois.to(device), 7, 0.5, 0, 'avg', True).square().sum().backward()
            grads.append(inputs.grad.cpu())
    finally:
        torch.use_deterministic_algorithms(False)
    assert not [warning for warning in recwarn if 'roi_align' in str(warning.message)]
    assert torch.equal(grads[1], grads[2])
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-4, atol=1e-3)
