"""Networks side by side: counts by hand, shapes of what is measured, what table and picture show."""

import pytest
import small
import tiny_detectors
import torch
from mmengine.registry import init_default_scope
from PIL import Image

from topkd.analysis.networks.compare import Network, compare
from topkd.analysis.networks.images import ImageSize, is_detector, prepared
from topkd.analysis.networks.measure import megabytes, operations, parameters, peak_megabytes
from topkd.analysis.networks.plot import plot_networks
from topkd.analysis.networks.table import table

SIZE = ImageSize(16, 12)


@pytest.fixture
def model():
    init_default_scope('mmpretrain')
    built = small.build(small.classifier(4))
    return built.eval()


def convolutions(model, size) -> int:
    """Count 2 x kernel x channels x positions of every convolution and 2 x weights of the classifier, by hooks."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        total += 2 * module.weight[0].numel() * output.numel()

    handles = [
        module.register_forward_hook(count)
        for module in model.modules()
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear))
    ]
    model(**prepared(model, size, 1), mode='predict')
    for handle in handles:
        handle.remove()
    return total


def test_operations_are_two_a_multiply_add(model):
    assert operations(model, prepared(model, SIZE, 1)) == convolutions(model, SIZE)
    assert operations(model, prepared(model, SIZE, 3)) == 3 * convolutions(model, SIZE)


def test_size_of_the_weights(model):
    expected = sum(tensor.numel() for tensor in model.parameters())
    assert parameters(model) == expected
    buffers = sum(tensor.numel() * tensor.element_size() for tensor in model.buffers())
    assert megabytes(model) == pytest.approx((4 * expected + buffers) / 1e6)


def test_memory_holds_the_largest_map_and_grows_with_the_batch(model):
    one, eight = (peak_megabytes(model, prepared(model, SIZE, count)) for count in (1, 8))
    first_map = 4 * 4 * SIZE.height * SIZE.width  # bytes of the stem's 4 channels
    assert one >= first_map / 1e6
    assert 4 * one < eight < 16 * one


def test_images_are_preprocessed_by_the_network(model):
    batch = prepared(model, SIZE, 5)
    assert batch['inputs'].shape == (5, 3, *SIZE) and batch['inputs'].dtype == torch.float32
    assert batch['inputs'].abs().max() <= 1  # (0..255 - 127.5) / 127.5
    assert torch.equal(batch['inputs'], prepared(model, SIZE, 5)['inputs'])


def test_detectors_get_samples_with_their_sizes():
    detector = tiny_detectors.build(tiny_detectors.detector()).eval()
    assert is_detector(detector)
    batch = prepared(detector, ImageSize(64, 96), 2)
    assert batch['inputs'].shape == (2, 3, 64, 96)
    assert [sample.img_shape for sample in batch['data_samples']] == [(64, 96)] * 2
    with torch.no_grad():
        assert len(detector(**batch, mode='predict')) == 2


def test_comparison_table_and_picture(model, tmp_path):
    other = small.build(small.classifier(8))
    networks = [Network('small', model, SIZE, {'accuracy/top1': 50.0}), Network('large', other, SIZE, {})]
    rows = compare(networks, ['cpu'], [1, 2], repeats=2)
    assert [row['name'] for row in rows] == ['small', 'large']
    for row in rows:
        for middle, least, greatest in row['latency_ms']['cpu'].values():
            assert 0 < least <= middle <= greatest
    assert rows[1]['operations'] > rows[0]['operations'] and not model.training
    lines = table(rows)
    assert lines[0] == [
        'network',
        'parameters',
        'weights, MB',
        'FLOPs',
        'accuracy/top1',
        'cpu, batch 1: ms',
        'memory, MB',
        'cpu, batch 2: ms',
        'memory, MB',
    ]
    assert [line[4] for line in lines[1:]] == ['50.00', '-']
    plot_networks(rows, 'accuracy/top1', str(tmp_path / 'compare.png'))
    assert Image.open(tmp_path / 'compare.png').size[0] > 800
