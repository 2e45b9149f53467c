"""GPUs: by tensors without values that nothing waits for one, wherever tests run; and where there is one, on it."""

import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from topkd.topology import PersistenceImager, PersistenceLandscape, PersLay, as_diagrams, rips_diagrams, rips_h0
from topkd.topology.distances import rtd_lite, signature_loss, sliced_wasserstein_h0, wasserstein_h0

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device here')

fakes_gpu = pytest.mark.skipif(
    tuple(map(int, torch.__version__.split('.')[:2])) < (2, 5) and not torch.cuda.is_available(),
    reason='torch before 2.5 asks for a GPU even of tensors without values',
)


def make_points(count=6, n=16, width=4, seed=0):
    return torch.randn(count, n, width, generator=torch.Generator().manual_seed(seed))


def fitted():
    return PersistenceImager().fit(rips_diagrams(make_points(20)))


CHAINS = dict(
    deaths=rips_h0,
    signature=lambda points: signature_loss(points, points.flip(0)),
    rtd_lite=lambda points: rtd_lite(points, points.flip(0)),
    wasserstein=lambda points: wasserstein_h0(rips_h0(points), rips_h0(points.flip(0))),
    sliced=lambda points: sliced_wasserstein_h0(rips_h0(points), rips_h0(points.flip(0))),
)


@fakes_gpu
@pytest.mark.parametrize('chain', CHAINS)
@pytest.mark.parametrize('n', [2, 16, 70])
def test_no_value_is_looked_at_on_a_gpu(chain, n):
    with FakeTensorMode():
        points = torch.empty(6, n, 4, device='cuda')
        assert CHAINS[chain](points).device.type == 'cuda'
        # the test would see a look at a value
        with pytest.raises(DataDependentOutputException):
            rips_h0(points, check_finite=True)


@fakes_gpu
def test_no_value_is_looked_at_by_images_on_a_gpu():
    with FakeTensorMode():
        imager = PersistenceImager().to('cuda')
        imager._ready = True
        deaths = torch.empty(6, 15, device='cuda')
        assert imager.images_from_deaths(deaths).shape == imager(as_diagrams(deaths)).shape == (6, 400)
        assert imager.images_from_clouds(torch.empty(6, 16, 4, device='cuda')).shape == (6, 400)


@fakes_gpu
@pytest.mark.parametrize('kind', [PersistenceLandscape, PersLay])
def test_no_value_is_looked_at_by_landscapes_and_perslay_on_a_gpu(kind):
    with FakeTensorMode(), torch.device('cuda'):
        layer = kind()
        layer._ready = True
        deaths = torch.empty(6, 15)
        assert layer(as_diagrams(deaths)).device.type == 'cuda'


@needs_gpu
@pytest.mark.parametrize('n', [2, 3, 64, 257])
def test_deaths_and_gradients_of_a_gpu_are_those_of_the_cpu(n):
    points, found = make_points(3, n).requires_grad_(), make_points(3, n).cuda().requires_grad_()
    for clouds in (points, found):
        (rips_h0(clouds).square()).sum().backward()
    torch.testing.assert_close(rips_h0(found).cpu(), rips_h0(points))
    torch.testing.assert_close(found.grad.cpu(), points.grad)


@needs_gpu
def test_images_and_cycles_of_a_gpu_are_those_of_the_cpu():
    points, imager = make_points(4, 24, 2), fitted()
    expected = imager(rips_diagrams(points, (0, 1)))
    torch.testing.assert_close(imager.cuda()(rips_diagrams(points.cuda(), (0, 1))).cpu(), expected)


@needs_gpu
def test_the_host_does_not_wait():
    points, imager = make_points().cuda().requires_grad_(), fitted().cuda()
    for mode in ('default', 'error'):  # the first call loads kernels
        torch.cuda.set_sync_debug_mode(mode)
        try:
            imager.images_from_clouds(points).sum().backward()
        finally:
            torch.cuda.set_sync_debug_mode('default')


@needs_gpu
def test_cuda_graph():
    points, imager = make_points().cuda().requires_grad_(), fitted().cuda()

    def step():
        images = imager.images_from_clouds(points)
        return images, torch.autograd.grad(images.square().sum(), points)[0]

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = step()
    with torch.no_grad():
        points.copy_(make_points(seed=1))
    graph.replay()
    for tensor, expected in zip(found, step()):
        torch.testing.assert_close(tensor, expected)


@needs_gpu
def test_the_host_does_not_wait_for_landscapes_and_perslay():
    points, diagrams = make_points().cuda().requires_grad_(), rips_diagrams(make_points(20))
    layers = [PersistenceLandscape(), PersLay()]
    layers = [layer.fit(diagrams).cuda() for layer in layers]
    for mode in ('default', 'error'):  # the first call loads kernels
        torch.cuda.set_sync_debug_mode(mode)
        try:
            for layer in layers:
                layer(as_diagrams(rips_h0(points))).sum().backward()
        finally:
            torch.cuda.set_sync_debug_mode('default')
