"""Data sets: labelled images held in memory (CIFAR-100, digits), and clouds with their persistence images."""
from topkd.datasets.cifar100 import CIFAR100
from topkd.datasets.clouds import CloudImages
from topkd.datasets.digits import Digits
from topkd.datasets.in_memory import InMemoryImages, collate_batch

__all__ = ['CIFAR100', 'CloudImages', 'Digits', 'InMemoryImages', 'collate_batch']
