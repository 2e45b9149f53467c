"""The networks of the CRD benchmark by name, and the names that the benchmark gives to their parameters."""

import re
from collections.abc import Callable

RESNET = 'topkd.CIFARResNet'
WIDE = (32, 64, 128, 256)

# backbone of every network that the converter knows; the first fifteen have a baseline config
NETWORKS: dict[str, dict] = dict(
    resnet20=dict(type=RESNET, depth=20),
    resnet32=dict(type=RESNET, depth=32),
    resnet56=dict(type=RESNET, depth=56),
    resnet110=dict(type=RESNET, depth=110),
    resnet8x4=dict(type=RESNET, depth=8, channels=WIDE),
    resnet32x4=dict(type=RESNET, depth=32, channels=WIDE),
    wrn16_2=dict(type='topkd.CIFARWideResNet', depth=16, widen_factor=2),
    wrn40_1=dict(type='topkd.CIFARWideResNet', depth=40, widen_factor=1),
    wrn40_2=dict(type='topkd.CIFARWideResNet', depth=40, widen_factor=2),
    vgg8=dict(type='topkd.CIFARVGG', depth=8),
    vgg13=dict(type='topkd.CIFARVGG', depth=13),
    resnet50=dict(type='topkd.CIFARResNet50'),
    mobilenetv2=dict(type='topkd.CIFARMobileNetV2'),
    shufflenetv1=dict(type='topkd.CIFARShuffleNetV1'),
    shufflenetv2=dict(type='topkd.CIFARShuffleNetV2'),
    resnet8=dict(type=RESNET, depth=8),
    resnet14=dict(type=RESNET, depth=14),
    resnet44=dict(type=RESNET, depth=44),
    resnet110x2=dict(type=RESNET, depth=110, channels=(16, 32, 64, 128)),
    wrn16_1=dict(type='topkd.CIFARWideResNet', depth=16, widen_factor=1),
    vgg11=dict(type='topkd.CIFARVGG', depth=11),
    vgg16=dict(type='topkd.CIFARVGG', depth=16),
    vgg19=dict(type='topkd.CIFARVGG', depth=19),
    mobilenetv2_x1=dict(type='topkd.CIFARMobileNetV2', width=1.0),
    shufflenetv2_x1_5=dict(type='topkd.CIFARShuffleNetV2', channels=(176, 352, 704, 1024)),
)

# The benchmark numbers the blocks of MobileNetV2 through, and the modules inside a block with its activations:
# convolution, normalization, activation, convolution, and so on.
MOBILENET_GROUPS = {'1.0': 0, '1.1': 1, '2.0': 2, '3.0': 3, '3.1': 4, '4.0': 5, '4.1': 6}
Rules = list[tuple[str, str | Callable[[re.Match[str]], str]]]


def _position(match: re.Match[str]) -> str:
    """Turn 'conv2' or 'bn2' into its position in a row of convolution, normalization and activation."""
    return str(3 * (int(match['number']) - 1) + (match['kind'] == 'bn'))


STEM: Rules = [(r'^stem\.(conv|bn)\.', r'\g<1>1.')]
FINAL: Rules = [(r'^final\.(conv|bn)\.', r'\g<1>2.')]
# ours -> the benchmark's, applied one after the other
RULES: dict[str, Rules] = dict(
    CIFARResNet=STEM,
    CIFARResNet50=STEM + [(r'\.downsample\.', '.shortcut.'), (r'^fc\.', 'linear.')],
    CIFARWideResNet=[
        (r'^stem\.', 'conv1.'),
        (r'^layer(\d)\.', r'block\1.layer.'),
        (r'\.shortcut\.', '.convShortcut.'),
        (r'^final\.bn\.', 'bn1.'),
    ],
    CIFARVGG=[
        (r'^stem\.', 'layer0.'),
        (r'^layer(\d)\.', r'block\1.'),
        (r'(?<=\.)(?P<kind>conv|bn)(?P<number>\d)(?=\.)', _position),
        (r'^fc\.', 'classifier.'),
    ],
    CIFARMobileNetV2=[
        (r'^layer(\d\.\d)\.', lambda match: f'blocks.{MOBILENET_GROUPS[match[1]]}.'),
        (r'(?<=\.)(?P<kind>conv|bn)(?P<number>\d)(?=\.)', lambda match: f'conv.{_position(match)}'),
        (r'^stem\.conv\.', 'conv1.0.'),
        (r'^stem\.bn\.', 'conv1.1.'),
        (r'^final\.conv\.', 'conv2.0.'),
        (r'^final\.bn\.', 'conv2.1.'),
        (r'^fc\.', 'classifier.0.'),
    ],
    CIFARShuffleNetV1=STEM + [(r'^fc\.', 'linear.')],
    CIFARShuffleNetV2=STEM + FINAL + [(r'^fc\.', 'linear.')],
)


def benchmark_key(backbone: str, key: str) -> str:
    """Return the name that the CRD benchmark gives to a parameter of one of our classifiers.

    Args:
        backbone (str): Type of the backbone: 'CIFARResNet', 'topkd.CIFARResNet', ...
        key (str): Our name: 'backbone.stem.conv.weight', 'head.fc.bias', ...

    Returns:
        str: The benchmark's name: 'conv1.weight', 'fc.bias', ...

    Source: the modules' names in HobbitLong/RepDistiller, models/.
    """
    key = re.sub(r'^(backbone|head)\.', '', key)
    for pattern, replacement in RULES[backbone.split('.')[-1]]:
        key = re.sub(pattern, replacement, key)
    return key
