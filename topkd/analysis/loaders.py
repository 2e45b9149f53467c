"""Dataloaders of a config for analyses: a split's images without augmentation, or batches that make whole clouds."""

import copy

from mmengine.config import Config, ConfigDict
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from topkd.models.clouds import PointCloud


def split_config(cfg: Config, split: str, augment: bool = False) -> ConfigDict:
    """Return a copy of a config's dataloader of a split.

    Args:
        cfg (Config): With ``train_dataloader`` and ``test_dataloader``.
        split (str): 'train' or 'test'.
        augment (bool): Whether the training images come as in training. Otherwise they go through the test split's
            pipeline, if both data sets have one; in-memory data sets have none, their preprocessor augments. Defaults
            to False.

    Example:
        >>> cfg = Config(dict(train_dataloader=dict(dataset=dict(pipeline=['flip']))))
        >>> split_config(cfg, 'train', augment=True)
        {'dataset': {'pipeline': ['flip']}}
    """
    config = copy.deepcopy(cfg[f'{split}_dataloader'])
    plain = (cfg.get('test_dataloader') or {}).get('dataset', {}).get('pipeline')
    if not augment and plain is not None and config.dataset.get('pipeline') is not None:
        config.dataset.pipeline = copy.deepcopy(plain)
    return config


def split_loader(cfg: Config, split: str, augment: bool = False, seed: int | None = None) -> DataLoader:
    """Build a config's dataloader of a split.

    Args:
        cfg (Config): See :func:`split_config`.
        split (str): 'train' or 'test'.
        augment (bool): See :func:`split_config`. Defaults to False.
        seed (int, optional): Of the order of the images, if they are shuffled. None: the config's.
    """
    seed = cfg.get('randomness', {}).get('seed') if seed is None else seed
    return Runner.build_dataloader(split_config(cfg, split, augment), seed=seed)


def cloud_loader(cfg: Config, split: str, cloud: PointCloud, seed: int) -> DataLoader:
    """Build a dataloader whose batches make whole clouds of random images, as those of the training do.

    Evaluation reads images in the order of the files, in batches of any size. Here they are shuffled, since a folder of
    images may be sorted by class, and a batch is one cloud, or the config's batch if every image is a cloud.

    Args:
        cfg (Config): Whose ``<split>_dataloader`` is taken; the batch size of ``train_dataloader`` is the size of a
            cloud that does not state its own.
        split (str): 'train' or 'test'.
        cloud (nn.Module): The topology loss's, see :mod:`topkd.models.clouds.point_cloud`.
        seed (int): Of the order of the images.

    Raises:
        ValueError: If the points are objects and the split is 'test'.
    """
    objects = cloud.reads_annotations
    if objects and split == 'test':
        raise ValueError(
            'clouds of annotated objects need boxes in pixels of the resized image, which pipelines for testing do not '
            'make: use --split train'
        )
    # for the same reason clouds of objects keep the training's pipeline, with its augmentation
    config = split_config(cfg, split, augment=objects)
    images = cloud.images(cfg.train_dataloader.batch_size)
    config.pop('batch_sampler', None)  # it may group images by shape
    config.update(sampler=dict(type='DefaultSampler', shuffle=True), drop_last=images > 1)
    if images > 1:
        config.batch_size = images
    return Runner.build_dataloader(config, seed=seed)
