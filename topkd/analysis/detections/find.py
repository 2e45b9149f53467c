"""Boxes in images of a config's test split: annotated ones, and those that a teacher and its students find."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import MODELS
from torch import nn

from topkd.analysis.loaders import split_loader
from topkd.analysis.networks.images import is_detector
from topkd.models.teacher import Teacher
from topkd.utils.config import with_preprocessor
from topkd.utils.student_state import load_student

ANNOTATED = 'annotated'


@dataclass(frozen=True)
class Boxes:
    """Boxes of one image.

    Attributes:
        corners (list[list[float]]): (k, 4) x1, y1, x2, y2 in pixels of the image's file.
        texts (list[str]): A word at each.

    Example:
        >>> Boxes(corners=[[0.0, 0.0, 16.0, 8.0]], texts=['person']).texts
        ['person']
    """

    corners: list[list[float]]
    texts: list[str]


def load_detectors(cfg: Config, checkpoints: Mapping[str, str]) -> dict[str, nn.Module]:
    """Build the teacher and one student for each checkpoint of a distillation config.

    Args:
        cfg (Config): With ``model.teacher`` and ``model.student``.
        checkpoints (Mapping[str, str]): By name, see :func:`topkd.utils.student_state.load_student`.

    Returns:
        dict: Detectors on the device in eval mode, the teacher first.

    Raises:
        KeyError: If the config has no teacher.
        ValueError: If weights do not fit, or the networks are no detectors.
    """
    if 'teacher' not in cfg.model:
        raise KeyError('the config has no teacher: name a distillation config of detectors')
    teacher = Teacher(**cfg.model.teacher).module
    if not is_detector(teacher):
        raise ValueError(
            f'the teacher of the config must be a detector, got {type(teacher).__name__}: name a distillation '
            'config of detectors'
        )
    detectors: dict[str, nn.Module] = {'teacher': teacher}
    for name, checkpoint in checkpoints.items():
        detectors[name] = MODELS.build(with_preprocessor(cfg.model.student, cfg))
        load_student(detectors[name], checkpoint)
    return {name: detector.to(get_device()).eval() for name, detector in detectors.items()}


@torch.no_grad()
def find_boxes(
    cfg: Config, detectors: Mapping[str, Any], count: int, threshold: float | None = None
) -> tuple[list[Any], dict[str, list[Boxes]]]:
    """Run detectors over the first images of the test split.

    Args:
        cfg (Config): With ``test_dataloader``.
        detectors (Mapping): By name, of MMDetection's classes.
        count (int): Number of images.
        threshold (float, optional): Least score of a box that is shown. None: of every detector the best boxes, as many
            as are annotated in these images, because a score means something else to every kind of detector.

    Returns:
        tuple: Images (H, W, 3) BGR; and by name, 'annotated' first, the boxes in each.
    """
    loader = split_loader(cfg, 'test')
    dataset: Any = loader.dataset
    names = dataset.metainfo['classes']
    shown = [dataset.get_data_info(number) for number in range(min(count, len(dataset)))]
    annotated = [_annotated(info, names) for info in shown]
    predicted: dict[str, list[Any]] = {name: [] for name in detectors}
    for batch in loader:
        left = len(shown) - len(next(iter(predicted.values()), shown))
        if left <= 0:
            break
        for name, detector in detectors.items():
            predicted[name] += [sample.pred_instances.cpu() for sample in detector.test_step(batch)[:left]]
    boxes = sum(len(here.corners) for here in annotated)
    found = {ANNOTATED: annotated}
    for name, instances in predicted.items():
        least = _score_of_rank(instances, boxes) if threshold is None else threshold
        found[name] = [_at_least(least, of_image, names) for of_image in instances]
    return [cv2.imread(info['img_path']) for info in shown], found


def _score_of_rank(instances: Sequence[Any], rank: int) -> float:
    scores = torch.cat([of_image.scores for of_image in instances]).sort(descending=True).values
    return float(scores[:rank].min()) if rank and len(scores) else math.inf


def _annotated(info: Mapping[str, Any], names: tuple[str, ...]) -> Boxes:
    objects = [found for found in info['instances'] if not found.get('ignore_flag')]
    return Boxes([found['bbox'] for found in objects], [names[found['bbox_label']] for found in objects])


def _at_least(score: float, found: Any, names: tuple[str, ...]) -> Boxes:
    found = found[found.scores >= score]
    texts = [f'{names[label]} {score:.2f}' for label, score in zip(found.labels.tolist(), found.scores.tolist())]
    return Boxes(found.bboxes.tolist(), texts)
