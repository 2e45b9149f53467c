"""A teacher and several of its trained students on the same images."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader

from topkd.analysis.loaders import split_config
from topkd.models.clouds import IncompleteCloudError, PointCloud
from topkd.models.losses.distillation_loss import Features
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.models.tap import as_list, pick, reach
from topkd.utils.checkpoint import load_student

TEACHER = 'teacher'


class NetworkFeatures(NamedTuple):
    """What the teacher and every student made of one batch of images, by name, the teacher first."""

    features: dict[str, Features]
    data_samples: Sequence


def load_students(model: nn.Module, checkpoints: Mapping[str, str]) -> dict[str, nn.Module]:
    """Make one copy of a distiller's student a checkpoint, so that all of them can see the same images.

    Args:
        model (nn.Module): A :class:`topkd.models.Distiller` in eval mode; its own student holds the last checkpoint afterwards.
        checkpoints (Mapping[str, str]): By name, see :func:`topkd.utils.checkpoint.load_student`.

    Returns:
        dict: Students by name.

    Raises:
        ValueError: If a student is named as the teacher is, or weights do not fit.
    """
    if TEACHER in checkpoints:
        raise ValueError(
            f"'{TEACHER}' is the name of the config's own teacher in tables and figures: give the student another "
            'NAME=CHECKPOINT'
        )
    students = {}
    for name, checkpoint in checkpoints.items():
        load_student(model.student, checkpoint)
        students[name] = copy.deepcopy(model.student).eval()
    return students


@torch.no_grad()
def network_features(
    model: nn.Module,
    students: Mapping[str, nn.Module],
    loss: TopologyLoss,
    batches: Iterable[dict],
    limit: int | None = None,
    augment: bool = False,
) -> Iterator[NetworkFeatures]:
    """Run the teacher and all students over batches once, and yield what they show at a loss's taps.

    Args:
        model (nn.Module): A :class:`topkd.models.Distiller` in eval mode, for teacher and preprocessor.
        students (Mapping[str, nn.Module]): By name, see :func:`load_students`.
        loss (TopologyLoss): Names the taps.
        batches (Iterable[dict]): As a dataloader makes them.
        limit (int, optional): Number of batches; None for all.
        augment (bool): Whether the preprocessor treats the images as in training. Defaults to False.
    """
    for number, batch in enumerate(batches):
        if number == limit:
            break
        data = model.data_preprocessor(batch, augment)
        teacher = model.teacher.features(
            data['inputs'], as_list(loss.teacher_tap), model.data_preprocessor, data['data_samples']
        )
        features = {TEACHER: pick(teacher, loss.teacher_tap)}
        for name, student in students.items():
            features[name] = pick(reach(student, data['inputs'], as_list(loss.student_tap)), loss.student_tap)
        yield NetworkFeatures(features, data['data_samples'])


def network_clouds(
    loss: TopologyLoss, projections: Mapping[str, nn.Module | None], shown: NetworkFeatures
) -> dict[str, Tensor]:
    """Turn the features of one batch into clouds (B, n, d) by network.

    Args:
        loss (TopologyLoss): Says what a cloud is.
        projections (Mapping): Modules by name of the student; one that is missing or None leaves the points as they are.
        shown (NetworkFeatures): See :func:`network_features`.

    Raises:
        IncompleteCloudError: If the batch makes no whole cloud.
    """
    return {
        name: loss.cloud(features, projections.get(name), shown.data_samples)
        for name, features in shown.features.items()
    }


def whole_clouds(
    model: nn.Module,
    students: Mapping[str, nn.Module],
    projections: Mapping[str, nn.Module | None],
    loss: TopologyLoss,
    batches: Iterable[dict],
    limit: int | None = None,
) -> Iterator[dict[str, Tensor]]:
    """Yield the clouds of all networks batch by batch, and pass over batches that make none, such as images without objects.

    For the arguments see :func:`network_features` and :func:`network_clouds`.
    """
    for shown in network_features(model, students, loss, batches, limit):
        try:
            clouds = network_clouds(loss, projections, shown)
        except IncompleteCloudError:
            continue
        yield clouds


def cloud_loader(cfg: Config, split: str, cloud: PointCloud, seed: int) -> DataLoader:
    """Build a dataloader whose batches make whole clouds of random images, as those of the training do.

    Evaluation reads images in the order of the files, in batches of any size. Here they are shuffled, since a folder of
    images may be sorted by class, and a batch is one cloud, or the config's batch where every image is a cloud.

    Args:
        cfg (Config): Whose ``<split>_dataloader`` is taken; the batch size of ``train_dataloader`` is the size of a cloud that does
            not state its own.
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
