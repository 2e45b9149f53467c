"""Data sets: labeled images in memory or in folders, and clouds with their persistence images."""

from topkd.datasets.cifar100 import CIFAR100
from topkd.datasets.clouds import CloudImages
from topkd.datasets.digits import Digits
from topkd.datasets.image_folder import ImageFolder
from topkd.datasets.in_memory import InMemoryImages, collate_batch
from topkd.datasets.seeded import SeededDataset, SeededSampler
from topkd.datasets.stl10 import STL10
from topkd.datasets.tiny_imagenet import TinyImageNet

__all__ = [
    'CIFAR100',
    'CloudImages',
    'Digits',
    'ImageFolder',
    'InMemoryImages',
    'STL10',
    'SeededDataset',
    'SeededSampler',
    'TinyImageNet',
    'collate_batch',
]
