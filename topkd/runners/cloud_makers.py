"""Frozen networks that make an artifact's clouds: the teacher, and students from checkpoints."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from mmengine.registry import MODELS
from torch import Tensor, nn

from topkd.models.probe_image import blank_image
from topkd.models.taps.tap import Taps, as_list, reach
from topkd.models.taps.tap_names import TapNames
from topkd.models.teacher import Teacher
from topkd.utils.student_state import load_student


class CloudMaker(NamedTuple):
    """A network and its taps.

    Attributes:
        name (str): For messages.
        network (nn.Module): In eval mode.
        taps (str | list[str]): Where its points are read.
        features (Callable): From images (N, 3, H, W) and their data samples to features by tap.
    """

    name: str
    network: nn.Module
    taps: Taps
    features: Callable[[Tensor, Sequence[Any] | None], dict[str, Tensor]]


def teacher_maker(teacher: Teacher, taps: Taps, preprocessor: nn.Module) -> CloudMaker:
    """Let a teacher make clouds, by its network as it was loaded.

    Args:
        teacher (Teacher): The frozen network.
        taps (str | Sequence[str]): Of the teacher.
        preprocessor (nn.Module): Of the student, which makes the images.
    """
    found = teacher.resolve(taps)
    return CloudMaker(
        f"teacher '{teacher.name}'",
        teacher.module,
        found,
        lambda inputs, samples: teacher.features(inputs, as_list(found), preprocessor, samples, as_loaded=True),
    )


def student_makers(config: dict, checkpoints: Iterable[str], taps: Taps) -> list[CloudMaker]:
    """Let students make clouds.

    Args:
        config (dict): Of the plain student.
        checkpoints (Iterable[str]): Paths of its own checkpoints, or of those of distillations whose student it was.
        taps (str | Sequence[str]): Of the student.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If weights do not fit, or are those of a whole cohort.
    """
    return [_student_maker(config, path, taps) for path in checkpoints]


def _student_maker(config: dict, path: str, taps: Taps) -> CloudMaker:
    network = MODELS.build(config)
    load_student(network, path, 'clouds.students')
    network.eval().requires_grad_(False)
    found = TapNames(network, blank_image(None, network)).resolve(taps)
    return CloudMaker(f"student '{path}'", network, found, lambda inputs, _: reach(network, inputs, as_list(found)))
