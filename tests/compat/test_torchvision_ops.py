"""NMS and RoIAlign against torchvision and against slow references written here from the definitions."""

import math

import numpy as np
import pytest
import torch
import torchvision
from mmcv.ops import RoIAlign, batched_nms, nms, roi_align

from topkd.compat.torchvision_ops import roi_align_backward

SHAPE = (2, 3, 9, 11)
ROIS = [
    [0, 2.0, 3.0, 15.0, 13.0],
    [1, 0.0, 0.0, 21.5, 17.5],
    [1, -3.0, -2.0, 4.0, 30.0],  # beyond the image on three sides
    [0, 7.25, 5.5, 7.75, 6.0],  # smaller than a pixel of the features
    [0, 6.0, 6.0, 6.0, 6.0],  # without area
    [1, 40.0, 40.0, 60.0, 50.0],  # fully outside
]
SCALE = 0.5
GEOMETRIES = [(pool, ratio, aligned) for pool in (7, 14, 1) for ratio in (0, 2) for aligned in (True, False)]


@pytest.fixture
def features():
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def rois():
    return torch.tensor(ROIS, dtype=torch.float64)


def slow_axis(start, size, bins, index, ratio, length):
    """Return the samples of one bin along one axis as a list of [(pixel, weight), ...]; [] for a sample outside."""
    count = ratio if ratio > 0 else math.ceil(size / bins)
    samples = []
    for sample in range(count):
        position = start + (index + (sample + 0.5) / count) * size / bins
        if position < -1 or position > length:
            samples.append([])
            continue
        position = min(max(position, 0), length - 1)
        low = int(position)
        high = min(low + 1, length - 1)
        samples.append([(low, 1 - (position - low)), (high, position - low)])
    return samples


def slow_roi_align_matrix(rois, shape, pool, scale, ratio, aligned):
    """Return RoIAlign as the dense linear map (k, pool, pool, N, H, W), one bilinear sample after the other."""
    num_images, _, height, width = shape
    matrix = np.zeros((len(rois), pool, pool, num_images, height, width))
    for k, (image, *corners) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = (corner * scale - (0.5 if aligned else 0) for corner in corners)
        box_w, box_h = (x2 - x1, y2 - y1) if aligned else (max(x2 - x1, 1), max(y2 - y1, 1))
        for p in range(pool):
            rows = slow_axis(y1, box_h, pool, p, ratio, height)
            for q in range(pool):
                columns = slow_axis(x1, box_w, pool, q, ratio, width)
                for row in rows:
                    for column in columns:
                        for y, wy in row:
                            for x, wx in column:
                                matrix[k, p, q, int(image), y, x] += wy * wx / (len(rows) * len(columns))
    return torch.from_numpy(matrix)


def slow_nms(boxes, scores, threshold, offset=0):
    """Greedy NMS, one pair after the other."""
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(slow_iou(boxes[i], boxes[j], offset) <= threshold for j in kept):
            kept.append(i)
    return kept


def slow_iou(a, b, offset):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]) + offset)
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]) + offset)
    areas = [(box[2] - box[0] + offset) * (box[3] - box[1] + offset) for box in (a, b)]
    union = sum(areas) - width * height
    return width * height / union if union else 0


def random_boxes(n, seed=0, integer=False):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(n, 2, generator=generator) * 60
    boxes = torch.cat((corners, corners + 5 + torch.rand(n, 2, generator=generator) * 40), dim=1)
    # Distinct scores: the reference and the kernels may order ties differently.
    scores = (torch.randperm(n, generator=generator) + 1) / (n + 1)
    return (boxes.round() if integer else boxes), scores


@pytest.mark.parametrize('pool, ratio, aligned', GEOMETRIES)
def test_roi_align_matches_the_slow_reference_and_torchvision(features, rois, pool, ratio, aligned):
    matrix = slow_roi_align_matrix(rois, SHAPE, pool, SCALE, ratio, aligned)
    weight = torch.randn(len(ROIS), 3, pool, pool, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    inputs, twin = features.clone().requires_grad_(), features.clone().requires_grad_()

    output = RoIAlign(pool, SCALE, ratio, 'avg', aligned)(inputs, rois)
    (output * weight).sum().backward()
    direct = torchvision.ops.roi_align(twin, rois, pool, SCALE, ratio, aligned)
    (direct * weight).sum().backward()

    torch.testing.assert_close(output, torch.einsum('kpqnyx,ncyx->kcpq', matrix, features))
    torch.testing.assert_close(inputs.grad, torch.einsum('kpqnyx,kcpq->ncyx', matrix, weight))
    assert torch.equal(output, direct)
    assert torch.equal(inputs.grad, twin.grad)


def test_roi_align_gradient_matches_finite_differences(features, rois):
    inputs = features[:, :1, :5, :5].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: roi_align(x, rois / 2, (3, 2), SCALE, 2, 'avg', True), (inputs,))


def test_roi_align_of_unequal_bins_keeps_height_before_width(features, rois):
    output = roi_align(features, rois, (2, 5), SCALE, 0, 'avg', True)
    assert output.shape == (len(ROIS), 3, 2, 5)
    assert torch.equal(output, torchvision.ops.roi_align(features, rois, (2, 5), SCALE, 0, True))


def test_roi_align_of_strided_inputs_equals_that_of_contiguous_ones(features, rois):
    expected_input = features.float().requires_grad_()
    expected = roi_align(expected_input, rois.float(), 7, SCALE, 0, 'avg', True)
    expected.transpose(2, 3).sum(0).square().sum().backward()
    strided_input = features.float().contiguous(memory_format=torch.channels_last).requires_grad_()
    strided_rois = torch.cat((rois, rois), dim=1).float()[:, :5]
    output = roi_align(strided_input, strided_rois, 7, SCALE, 0, 'avg', True)
    output.transpose(2, 3).sum(0).square().sum().backward()
    assert not strided_input.is_contiguous() and not strided_rois.is_contiguous()
    assert torch.equal(output, expected)
    assert torch.equal(strided_input.grad, expected_input.grad)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_roi_align_without_regions_is_empty_with_zero_gradient(features, dtype):
    inputs = features.to(dtype).requires_grad_()
    output = roi_align(inputs, torch.zeros(0, 5, dtype=dtype), 7, SCALE, 0, 'avg', True)
    output.sum().backward()
    assert output.shape == (0, 3, 7, 7) and output.dtype == dtype
    assert torch.equal(inputs.grad, torch.zeros_like(inputs))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('aligned', [True, False])
def test_roi_align_of_half_precision_under_autocast_is_the_rounded_float32(features, rois, dtype, aligned):
    inputs, exact = features.to(dtype).requires_grad_(), features.to(dtype).float().requires_grad_()
    # mmdet hands the boxes over in the dtype of the features.
    rois = rois.to(dtype)
    with torch.autocast('cpu', dtype=dtype):
        output = roi_align(inputs, rois, 7, SCALE, 0, 'avg', aligned)
    expected = roi_align(exact, rois.float(), 7, SCALE, 0, 'avg', aligned)
    output.float().square().sum().backward()
    (expected * output.detach().float() * 2).sum().backward()
    assert output.dtype == inputs.grad.dtype == dtype
    assert torch.equal(output, expected.to(dtype))
    assert torch.equal(inputs.grad, exact.grad.to(dtype))


def test_roi_align_backward_adds_to_the_gradient_it_is_given(features, rois):
    grad, none = torch.ones(len(ROIS), 3, 7, 7, dtype=torch.float64), torch.zeros(0)
    geometry = dict(aligned_height=7, aligned_width=7, spatial_scale=SCALE, sampling_ratio=0, pool_mode=1, aligned=True)
    once, twice = torch.zeros(SHAPE, dtype=torch.float64), torch.zeros(SHAPE, dtype=torch.float64)
    roi_align_backward(grad, rois, none, none, once, **geometry)
    for _ in range(2):
        roi_align_backward(grad, rois, none, none, twice, **geometry)
    assert once.abs().sum() > 0
    torch.testing.assert_close(twice, 2 * once)


def test_roi_align_repeats_bit_for_bit(features, rois):
    grads = []
    for _ in range(3):
        inputs = features.float().requires_grad_()
        roi_align(inputs, rois.float(), 7, SCALE, 0, 'avg', True).square().sum().backward()
        grads.append(inputs.grad)
    assert torch.equal(grads[0], grads[1]) and torch.equal(grads[0], grads[2])


def test_roi_align_with_max_pooling_says_what_is_missing(features, rois):
    with pytest.raises(NotImplementedError, match="roi_align with pool_mode='max'.*MMCV_WITH_OPS=1"):
        roi_align(features, rois, 7, SCALE, 0, 'max', True)


@pytest.mark.parametrize('threshold', [0.1, 0.5, 0.7])
@pytest.mark.parametrize('offset', [0, 1])
def test_nms_matches_the_slow_reference(threshold, offset):
    boxes, scores = random_boxes(120, integer=True)
    expected = slow_nms(boxes.tolist(), scores.tolist(), threshold, offset)
    dets, kept = nms(boxes, scores, threshold, offset=offset)
    assert kept.tolist() == expected
    assert torch.equal(dets, torch.cat((boxes, scores[:, None]), dim=1)[expected])
    assert 1 < len(expected) < 120
    if offset == 0:
        assert torch.equal(kept, torchvision.ops.nms(boxes, scores, threshold))


def test_nms_offset_decides_a_hand_made_case():
    # Inclusive pixels: 2 x 2 and 2 x 1 of them, IoU 1/2; as continuous coordinates the second box has no area, IoU 0.
    boxes, scores = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0]]), torch.tensor([0.9, 0.8])
    assert nms(boxes, scores, 0.4, offset=0)[1].tolist() == [0, 1]
    assert nms(boxes, scores, 0.4, offset=1)[1].tolist() == [0]
    assert boxes.tolist() == [[0, 0, 1, 1], [0, 0, 1, 0]]


def test_nms_keeps_the_first_of_equal_scores():
    boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0]]).repeat(50, 1)
    assert nms(boxes, torch.ones(50), 0.5)[1].tolist() == [0]


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_nms_without_boxes_keeps_none(dtype):
    dets, kept = nms(torch.zeros(0, 4, dtype=dtype), torch.zeros(0, dtype=dtype), 0.5)
    assert dets.shape == (0, 5) and kept.shape == (0,) and kept.dtype == torch.int64
    boxes, kept = batched_nms(
        torch.zeros(1, 4),
        torch.zeros(1),
        torch.zeros(1, dtype=torch.long),
        dict(type='nms', iou_threshold=0.5, score_threshold=0.1),
    )
    assert boxes.shape == (0, 5) and kept.shape == (0,)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('boxes_too', [True, False])
def test_nms_of_half_precision_under_autocast_is_that_of_the_same_values_in_float32(dtype, boxes_too):
    boxes, scores = random_boxes(60)
    boxes, scores = (boxes.to(dtype) if boxes_too else boxes), scores.to(dtype)
    with torch.autocast('cpu', dtype=dtype):
        kept = nms(boxes, scores, 0.5)[1]
    assert kept.tolist() == slow_nms(boxes.tolist(), scores.tolist(), 0.5)


def test_nms_of_numpy_and_of_strided_boxes():
    boxes, scores = random_boxes(60)
    expected = slow_nms(boxes.tolist(), scores.tolist(), 0.5)
    dets, kept = nms(boxes.numpy(), scores.numpy(), 0.5)
    assert isinstance(dets, np.ndarray) and kept.tolist() == expected
    strided = torch.cat((boxes, scores[:, None]), dim=1)
    assert nms(strided[:, :4], strided[:, 4], 0.5)[1].tolist() == expected


@pytest.mark.parametrize('split_thr', [10000, 10])
def test_batched_nms_suppresses_within_a_class_only(split_thr):
    boxes, scores = random_boxes(90, seed=3)
    classes = torch.arange(90) % 3
    dets, kept = batched_nms(boxes, scores, classes, dict(type='nms', iou_threshold=0.4, split_thr=split_thr))
    expected = []
    for label in range(3):
        members = (classes == label).nonzero().squeeze(1)
        expected += members[slow_nms(boxes[members].tolist(), scores[members].tolist(), 0.4)].tolist()
    expected.sort(key=lambda i: -scores[i])
    assert kept.tolist() == expected
    assert torch.equal(dets, torch.cat((boxes, scores[:, None]), dim=1)[expected])
