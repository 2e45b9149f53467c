"""The CIFAR networks of the CRD benchmark, which mmpretrain lacks."""

from topkd.models.backbones.cifar_mobilenet_v2 import CIFARMobileNetV2
from topkd.models.backbones.cifar_resnet import CIFARResNet
from topkd.models.backbones.cifar_resnet50 import CIFARResNet50
from topkd.models.backbones.cifar_shufflenet_v1 import CIFARShuffleNetV1
from topkd.models.backbones.cifar_shufflenet_v2 import CIFARShuffleNetV2
from topkd.models.backbones.cifar_vgg import CIFARVGG
from topkd.models.backbones.cifar_wide_resnet import CIFARWideResNet
from topkd.models.backbones.networks import NETWORKS, benchmark_key

__all__ = [
    'CIFARMobileNetV2',
    'CIFARResNet',
    'CIFARResNet50',
    'CIFARShuffleNetV1',
    'CIFARShuffleNetV2',
    'CIFARVGG',
    'CIFARWideResNet',
    'NETWORKS',
    'benchmark_key',
]
