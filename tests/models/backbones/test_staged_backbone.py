"""What taps and configs rely on in every backbone: stages by name, their shapes, and no operation in place."""

import copy

import pytest
import torch
from torch import nn

from topkd.models.backbones import NETWORKS, CIFARResNet
from topkd.registry import MODELS

# (channels, size) of stem and layers on images of 32 pixels: the benchmark's f0, f1, ...
STAGES = dict(
    resnet20=[(16, 32), (16, 32), (32, 16), (64, 8)],
    resnet56=[(16, 32), (16, 32), (32, 16), (64, 8)],
    resnet8x4=[(32, 32), (64, 32), (128, 16), (256, 8)],
    wrn16_2=[(16, 32), (32, 32), (64, 16), (128, 8)],
    wrn40_1=[(16, 32), (16, 32), (32, 16), (64, 8)],
    vgg8=[(64, 32), (128, 16), (256, 8), (512, 4), (512, 4)],
    vgg13=[(64, 32), (128, 16), (256, 8), (512, 4), (512, 4)],
    resnet50=[(64, 32), (256, 32), (512, 16), (1024, 8), (2048, 4)],
    mobilenetv2=[(16, 16), (12, 16), (16, 8), (48, 4), (160, 2)],
    shufflenetv1=[(24, 32), (240, 16), (480, 8), (960, 4)],
    shufflenetv2=[(24, 32), (116, 16), (232, 8), (464, 4)],
)
# channels of the backbone's output where `final` changes them
FINAL = dict(mobilenetv2=1280, shufflenetv2=1024)
# families whose stages end in a sum or a linear projection, and whose stem is a bare convolution
SIGNED_STAGES, SIGNED_STEM = ('wrn', 'mobilenet'), ('wrn',)


def backbone(network, **kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(copy.deepcopy(NETWORKS[network]), **kwargs))


def run(model, images):
    """Return the outputs of all modules, with their versions at that moment."""
    outputs = []
    handles = [
        module.register_forward_hook(lambda module, args, out, name=name: outputs.append((name, out, out._version)))
        for name, module in model.named_modules()
        if name
    ]
    result = model(images)
    for handle in handles:
        handle.remove()
    return result, outputs


@pytest.mark.parametrize('network', STAGES)
def test_stages_and_no_operation_in_place(network):
    model = backbone(network).train()
    images = torch.randn(2, 3, 32, 32)
    result, outputs = run(model, images)
    assert images._version == 0
    overwritten = [name for name, tensor, version in outputs if tensor._version != version]
    assert not overwritten
    by_name = {name: tensor for name, tensor, _ in outputs}
    names = ['stem', *model.stage_names]
    assert [tuple(by_name[name].shape[1:]) for name in names] == [(c, size, size) for c, size in STAGES[network]]
    assert len(result) == 1 and result[0] is by_name['final']
    size = STAGES[network][-1][1]
    assert result[0].shape == (2, FINAL.get(network, STAGES[network][-1][0]), size, size)
    assert (by_name['stem'].min() < 0) == network.startswith(SIGNED_STEM)
    for name in model.stage_names:
        assert (by_name[name].min() < 0) == network.startswith(SIGNED_STAGES), name
    assert result[0].min() >= 0


@pytest.mark.parametrize('network', ['resnet20', 'wrn16_2', 'vgg8', 'mobilenetv2', 'shufflenetv1', 'shufflenetv2'])
def test_all_stages_as_outputs(network):
    model = backbone(network, out_indices=range(len(STAGES[network]) - 1)).eval()
    with torch.no_grad():
        result, outputs = run(model, torch.randn(1, 3, 32, 32))
    by_name = {name: tensor for name, tensor, _ in outputs}
    assert all(tensor is by_name[name] for name, tensor in zip((*model.stage_names[:-1], 'final'), result))
    assert len(result) == len(model.stage_names)


@pytest.mark.parametrize('size', [8, 11, 28])
@pytest.mark.parametrize(
    'network', ['resnet8', 'resnet8x4', 'wrn16_2', 'vgg8', 'mobilenetv2', 'shufflenetv1', 'shufflenetv2']
)
def test_small_images_train(network, size):
    model = backbone(network).train()
    (output,) = model(torch.randn(4, 3, size, size))
    assert output.shape[:2] == (4, model.out_channels)
    output.mean().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in model.parameters())


def test_out_indices_are_sorted_and_checked():
    assert CIFARResNet(8, out_indices=(-1, 0)).out_indices == (0, 2)
    for wrong in ((3,), (-4,), ()):
        with pytest.raises(ValueError, match='out_indices of CIFARResNet must name stages 0 to 2, got'):
            CIFARResNet(8, out_indices=wrong)


def test_init_weights_of_one_network_leaves_the_default_alone():
    model = CIFARResNet(8)
    model.init_weights()
    assert model.init_cfg == CIFARResNet(8).init_cfg
    assert isinstance(model.final, nn.Identity) and not list(model.final.parameters())
