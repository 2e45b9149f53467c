"""What losses between feature maps share: pairs of maps and their checks."""

from typing import Any, TypeVar

from torch import Tensor, nn

from topkd.models.losses.distillation_loss import Features, Probe
from topkd.models.taps.tap import Taps, as_list
from topkd.models.taps.tap_views import instead

Network = TypeVar('Network', bound=nn.Module)
LAYERS = ('backbone.layer1', 'backbone.layer2', 'backbone.layer3')


def default_taps(student_tap: Taps, teacher_tap: Taps | None) -> tuple[Taps, Taps]:
    """Return the taps of both networks, the teacher's being the student's if it is None; sequences become lists.

    Example:
        >>> default_taps('backbone.layer3', None)
        ('backbone.layer3', 'backbone.layer3')
    """
    student = student_tap if isinstance(student_tap, str) else list(student_tap)
    if teacher_tap is None:
        return student, student
    return student, teacher_tap if isinstance(teacher_tap, str) else list(teacher_tap)


def as_maps(features: Features) -> list[Tensor]:
    """Return the feature maps of one tap or of several as a list.

    Example:
        >>> import torch
        >>> len(as_maps(torch.zeros(2, 16, 8, 8)))
        1
    """
    return [features] if isinstance(features, Tensor) else list(features)


def map_pairs(loss: Any, probe: Probe) -> list[tuple[Tensor, Tensor]]:
    """Pair the maps of both networks, and refuse what is no map or has no partner.

    Args:
        loss (DistillationLoss): Its name and its taps stand in the messages.
        probe (Probe): See :meth:`DistillationLoss.bind`.

    Returns:
        list[tuple[Tensor, Tensor]]: (1, C_S, H_S, W_S) and (1, C_T, H_T, W_T) for each pair of taps.

    Raises:
        ValueError: If the numbers of taps differ, or a tap returns something else than maps (N, C, H, W).

    Example:
        >>> import torch
        >>> from topkd.models.losses import ATLoss
        >>> pairs = map_pairs(ATLoss(), Probe([torch.zeros(1, 16, 8, 8)], [torch.zeros(1, 64, 8, 8)]))
        >>> [(student.shape[1], teacher.shape[1]) for student, teacher in pairs]
        [(16, 64)]
    """
    name = type(loss).__name__
    student, teacher = as_maps(probe.student), as_maps(probe.teacher)
    if len(student) != len(teacher):
        raise ValueError(
            f'{name} compares maps in pairs, got {len(student)} of the student and {len(teacher)} of the teacher: '
            'give student_tap and teacher_tap the same length'
        )
    for features, taps in ((student, loss.student_tap), (teacher, loss.teacher_tap)):
        for level, path in zip(features, as_list(taps)):
            if level.ndim != 4:
                raise ValueError(
                    f"{name} needs maps (N, C, H, W), tap '{path}' returns {tuple(level.shape)}: tap a stage, such as "
                    f"'backbone.layer3'{_of_tokens(level)}"
                )
    return list(zip(student, teacher))


def _of_tokens(level: Tensor) -> str:
    return f'; {instead(level.shape, "map")}' if level.ndim == 3 else ''


def he_normal(module: Network) -> Network:
    """Draw the convolutions of a module from N(0, 2 / (k k C_out)) and return the module.

    Example:
        >>> he_normal(nn.Conv2d(16, 64, 1))
        Conv2d(16, 64, kernel_size=(1, 1), stride=(1, 1))
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode='fan_out', nonlinearity='relu')
    return module


def unbound(loss: nn.Module) -> RuntimeError:
    """Return the error of a forward before ``bind``.

    Example:
        >>> from topkd.models.losses import FitNetLoss
        >>> type(unbound(FitNetLoss())).__name__
        'RuntimeError'
    """
    return RuntimeError(
        f'{type(loss).__name__} has not seen the two networks yet: call bind(teacher, probe) before forward, as '
        'topkd.Distiller does'
    )
