"""ONNX files: what onnxruntime computes from them, and what is refused."""

import numpy as np
import onnxruntime
import pytest
import small
import tiny_detectors
import torch
from mmengine.hub import get_config
from torch import nn

from topkd.analysis.networks.images import ImageSize
from topkd.deployment import onnx_file
from topkd.deployment.onnx_file import export_onnx

SIZE = ImageSize(16, 16)


def run(path, images: torch.Tensor) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=['CPUExecutionProvider'])
    return session.run(None, {session.get_inputs()[0].name: images.numpy()})


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3))

    def forward(self, images, mode):
        return images.relu().mean((2, 3)) @ self.weight.T


@pytest.mark.parametrize('exporter', ['torchscript', 'dynamo'])
def test_any_number_of_images(tmp_path, exporter):
    if exporter == 'dynamo' and not hasattr(torch.export.Dim, 'DYNAMIC'):  # from PyTorch 2.6
        with pytest.raises(ValueError, match="exporter 'dynamo' needs PyTorch 2.6"):
            export_onnx(Tiny(), SIZE, tmp_path / 'net.onnx', exporter=exporter)
        return
    model = Tiny()
    found = export_onnx(model, SIZE, tmp_path / 'net.onnx', exporter=exporter)
    assert found.names == ['logits'] and found.counts == (1, 2, 5) and 0 <= found.difference < 1e-5
    for count in (1, 3, 7):
        images = torch.randn(count, 3, 16, 16)
        expected = images.numpy().clip(0).mean((2, 3)) @ model.weight.detach().numpy().T
        np.testing.assert_allclose(run(tmp_path / 'net.onnx', images)[0], expected, atol=1e-5)


HOST = dict(type='mmpretrain.ClsDataPreprocessor', mean=[10.0, 60.0, 200.0], std=[40.0, 60.0, 90.0])


@pytest.mark.parametrize(
    'preprocessor, decoded_as_bgr',
    [
        (dict(type='topkd.ImageBatchPreprocessor', mean=HOST['mean'], std=HOST['std']), False),
        (dict(HOST, to_rgb=True), True),
        (dict(HOST, to_rgb=False), True),
    ],
)
def test_pixels_are_normalized_as_the_data_preprocessor_does(tmp_path, preprocessor, decoded_as_bgr):
    model = small.build(dict(small.classifier(4), data_preprocessor=preprocessor)).eval()
    export_onnx(model, SIZE, tmp_path / 'net.onnx', pixels=True)
    rgb = torch.randint(0, 256, (3, 3, 16, 16), dtype=torch.uint8)
    decoded = rgb.flip(1) if decoded_as_bgr else rgb
    inputs = model.data_preprocessor(dict(inputs=decoded), False)['inputs']
    expected = model(inputs, mode='tensor').detach()
    np.testing.assert_allclose(run(tmp_path / 'net.onnx', rgb.float())[0], expected, atol=1e-5)


def retinanet() -> dict:
    model = get_config('mmdet::_base_/models/retinanet_r50_fpn.py').model.to_dict()
    model['backbone'].update(depth=18, base_channels=4, init_cfg=None)
    model['neck'].update(in_channels=[4, 8, 16, 32], out_channels=8)
    model['bbox_head'].update(in_channels=8, feat_channels=8, num_classes=3, stacked_convs=1)
    return dict(model, _scope_='mmdet')


def test_one_stage_detector_gives_its_head_on_every_level(tmp_path):
    model = tiny_detectors.build(retinanet()).eval()
    found = export_onnx(model, ImageSize(64, 96), tmp_path / 'net.onnx')
    assert found.names == [f'head_{place}_level_{level}' for place in (0, 1) for level in range(5)]
    images = torch.randn(3, 3, 64, 96)
    scores, boxes = model(images, mode='tensor')
    for array, expected in zip(run(tmp_path / 'net.onnx', images), [*scores, *boxes], strict=True):
        np.testing.assert_allclose(array, expected.detach(), atol=1e-5)


def test_two_stage_detector_gives_its_pyramid_and_rpn(tmp_path):
    model = tiny_detectors.build(tiny_detectors.detector()).eval()
    found = export_onnx(model, ImageSize(64, 64), tmp_path / 'net.onnx')
    assert found.names[:5] == [f'pyramid_level_{level}' for level in range(5)]
    images = torch.randn(3, 3, 64, 64)
    pyramid = model.extract_feat(images)
    scores, boxes = model.rpn_head(pyramid)
    for array, expected in zip(run(tmp_path / 'net.onnx', images), [*pyramid, *scores, *boxes], strict=True):
        np.testing.assert_allclose(array, expected.detach(), atol=1e-5)


def test_detectors_of_another_kind_are_refused(tmp_path):
    from mmdet.models.detectors import BaseDetector

    class Other(BaseDetector):
        loss = predict = _forward = extract_feat = lambda self: None

    with pytest.raises(ValueError, match='Other is neither a one-stage nor a two-stage detector'):
        export_onnx(Other(), SIZE, tmp_path / 'net.onnx')


class Counting(nn.Module):
    """A network that an exporter by tracing cannot express: it counts its images in Python."""

    def forward(self, images, mode):
        return images.mean((1, 2, 3)) * float(images.shape[0])


def test_a_file_that_computes_something_else_is_not_written(tmp_path):
    (tmp_path / 'net.onnx').write_text('what was there before')
    with pytest.raises(ValueError, match='onnxruntime computes something else from the file than PyTorch'):
        export_onnx(Counting(), SIZE, tmp_path / 'net.onnx')
    assert (tmp_path / 'net.onnx').read_text() == 'what was there before'
    assert [path.name for path in tmp_path.iterdir()] == ['net.onnx']
    # of a fixed number of images it is right
    export_onnx(Counting(), SIZE, tmp_path / 'net.onnx', count=3)
    images = torch.rand(3, 3, 16, 16)
    np.testing.assert_allclose(run(tmp_path / 'net.onnx', images)[0], 3 * images.mean((1, 2, 3)), rtol=1e-5)


def test_a_swin_transformer_goes_with_a_fixed_number_of_images(tmp_path):
    backbone = dict(
        type='mmpretrain.SwinTransformer',
        arch=dict(embed_dims=8, depths=[2, 2, 1, 1], num_heads=[1, 1, 2, 2]),  # every second block shifts its windows
        img_size=64,
        window_size=2,
    )
    head = dict(type='mmpretrain.LinearClsHead', num_classes=10, in_channels=64)
    model = small.build(dict(small.classifier(), backbone=backbone, head=head)).eval()
    size = ImageSize(64, 64)
    with pytest.raises(ValueError, match='onnxruntime computes something else .*--batch-size'):
        export_onnx(model, size, tmp_path / 'net.onnx')
    export_onnx(model, size, tmp_path / 'net.onnx', count=3)
    images = torch.randn(3, 3, 64, 64)
    expected = model(images, mode='tensor').detach()
    np.testing.assert_allclose(run(tmp_path / 'net.onnx', images)[0], expected, atol=1e-5)


class Inexpressible(nn.Module):
    def forward(self, images, mode):
        return torch.linalg.eigvals(images[:, 0]).real


def test_what_the_exporter_does_not_know_is_said_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match='the exporter torchscript cannot express Inexpressible .*: try the other'):
        export_onnx(Inexpressible(), SIZE, tmp_path / 'net.onnx')
    assert not list(tmp_path.iterdir())


def test_wrong_tools(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="exporter must be 'torchscript' or 'dynamo', got 'other'"):
        export_onnx(Counting(), SIZE, tmp_path / 'net.onnx', exporter='other')
    monkeypatch.setattr(onnx_file, 'is_installed', lambda name: name == 'onnx')
    with pytest.raises(
        ModuleNotFoundError, match=r"needs onnxruntime, not installed here: pip install 'topkd\[onnx\]'"
    ):
        export_onnx(Counting(), SIZE, tmp_path / 'net.onnx')
