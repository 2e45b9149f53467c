"""Boxes in images of a config's test split: annotated ones, and those that a teacher and its students find."""

from collections.abc import Mapping
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
    cfg: Config, detectors: Mapping[str, Any], count: int, threshold: float = 0.5
) -> tuple[list[Any], dict[str, list[Boxes]]]:
    """Run detectors over the first images of the test split.

    Args:
        cfg (Config): With ``test_dataloader``.
        detectors (Mapping): By name, of MMDetection's classes.
        count (int): Number of images.
        threshold (float): Least score of a box that is shown. Defaults to 0.5.

    Returns:
        tuple: Images (H, W, 3) BGR; and by name, 'annotated' first, the boxes in each.
    """
    loader = split_loader(cfg, 'test')
    dataset: Any = loader.dataset
    names = dataset.metainfo['classes']
    shown = [dataset.get_data_info(number) for number in range(min(count, len(dataset)))]
    found = {ANNOTATED: [_annotated(info, names) for info in shown], **{name: [] for name in detectors}}
    for batch in loader:
        left = len(shown) - len(found[next(iter(detectors), ANNOTATED)])
        if left <= 0:
            break
        for name, detector in detectors.items():
            found[name] += [_predicted(sample, names, threshold) for sample in detector.test_step(batch)[:left]]
    return [cv2.imread(info['img_path']) for info in shown], found


def _annotated(info: Mapping[str, Any], names: tuple[str, ...]) -> Boxes:
    objects = [found for found in info['instances'] if not found.get('ignore_flag')]
    return Boxes([found['bbox'] for found in objects], [names[found['bbox_label']] for found in objects])


def _predicted(sample: Any, names: tuple[str, ...], threshold: float) -> Boxes:
    found = sample.pred_instances
    found = found[found.scores > threshold].cpu()
    texts = [f'{names[label]} {score:.2f}' for label, score in zip(found.labels.tolist(), found.scores.tolist())]
    return Boxes(found.bboxes.tolist(), texts)
