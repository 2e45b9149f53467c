"""What losses between logits share: their checks."""

from typing import Any

from torch import Tensor

from topkd.functional.logits import check_same_classes
from topkd.models.losses.distillation_loss import Features, Probe


def check_logits(loss: Any, probe: Probe) -> None:
    """Refuse taps that return no logits, and logits of different classes.

    Args:
        loss (DistillationLoss): Its name and taps stand in the message.
        probe (Probe): See :meth:`DistillationLoss.bind`.

    Raises:
        ValueError: If a tap does not return (N, K), or the classes differ.

    Example:
        >>> import torch
        >>> from topkd.models import KDLoss
        >>> check_logits(KDLoss(), Probe(torch.zeros(1, 10), torch.ones(1, 10)))
    """
    check_same_classes(
        vector_of(loss, probe.student, loss.student_tap), vector_of(loss, probe.teacher, loss.teacher_tap)
    )


def vector_of(loss: Any, features: Features, tap: Any) -> Tensor:
    """Return the vectors (N, C) of a tap, and refuse anything else.

    Args:
        loss (DistillationLoss): Its name stands in the message.
        features (Tensor | Sequence[Tensor]): Of one blank image.
        tap (str | Sequence[str]): Where they come from.

    Raises:
        ValueError: If they are not one tensor of two dimensions.

    Example:
        >>> import torch
        >>> from topkd.models import KDLoss
        >>> vector_of(KDLoss(), torch.zeros(1, 10), 'head.fc').shape
        torch.Size([1, 10])
    """
    if not isinstance(features, Tensor) or features.ndim != 2:
        got = tuple(features.shape) if isinstance(features, Tensor) else f'{len(features)} taps'
        raise ValueError(
            f"{type(loss).__name__} needs one vector an image (N, C), tap '{tap}' returns {got}: tap the logits "
            "'head.fc' or the pooled features 'neck[0]'"
        )
    return features
