"""Batches that a network is measured on: random pixels of a size, in the form that its toolbox hands over."""

from typing import Any, NamedTuple

import torch
from mmdet.models.detectors import BaseDetector
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.runner import Runner
from torch import nn


class ImageSize(NamedTuple):
    """Height and width of the images, in pixels.

    Example:
        >>> ImageSize(height=32, width=32)
        ImageSize(height=32, width=32)
    """

    height: int
    width: int


def is_detector(model: nn.Module) -> bool:
    """Tell a detector of mmdet from a classifier.

    Example:
        >>> is_detector(nn.Linear(1, 1))
        False
    """
    return isinstance(model, BaseDetector)


def prepared(model: nn.Module, size: ImageSize, count: int, seed: int = 0) -> dict[str, Any]:
    """Make images of random pixels and preprocess them as the network's toolbox does.

    Args:
        model (nn.Module): A classifier or detector with a ``data_preprocessor``, on its device.
        size (ImageSize): Of the images.
        count (int): Number of images.
        seed (int): Of the pixels. Defaults to 0.

    Returns:
        dict: ``inputs`` (count, 3, H, W) and ``data_samples``, as the network's forward takes them.

    Example:
        >>> from mmengine.registry import MODELS
        >>> network = dict(type='mmpretrain.ImageClassifier', backbone=dict(type='topkd.CIFARResNet', depth=20))
        >>> prepared(MODELS.build(network), ImageSize(32, 32), count=2)['inputs'].shape
        torch.Size([2, 3, 32, 32])
    """
    pixels = torch.randint(0, 256, (count, 3, *size), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    preprocessor: Any = model.data_preprocessor
    if not is_detector(model):
        data = preprocessor(dict(inputs=pixels), False)
        return dict(inputs=data['inputs'], data_samples=None)
    shape = dict(img_shape=tuple(size), ori_shape=tuple(size), scale_factor=(1.0, 1.0), pad_shape=tuple(size))
    samples = [DetDataSample(metainfo=dict(shape, img_id=number)) for number in range(count)]
    data = preprocessor(dict(inputs=list(pixels), data_samples=samples), False)
    return dict(inputs=data['inputs'], data_samples=data['data_samples'])


def size_in(cfg: Config) -> ImageSize:
    """Read the size of the images from the first one of a config's test set.

    Args:
        cfg (Config): With a ``test_dataloader``.

    Returns:
        ImageSize: Of the first image, as the test pipeline leaves it.

    Raises:
        ValueError: If the config tests nothing.
        FileNotFoundError: If the data are not there; the message is the data set's.
    """
    if cfg.get('test_dataloader') is None:
        raise ValueError('the config has no test_dataloader to tell the size of the images: give it by --shape H W')
    first = next(iter(Runner.build_dataloader(dict(cfg.test_dataloader, batch_size=1, num_workers=0))))
    return ImageSize(*first['inputs'][0].shape[-2:])
