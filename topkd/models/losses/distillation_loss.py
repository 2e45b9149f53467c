"""What the distiller asks of every loss: where to tap the two networks, and how much the loss weighs."""

from collections.abc import Sequence
from typing import Any, Union

from torch import Tensor, nn

from topkd.models.tap import Taps

Features = Union[Tensor, Sequence[Tensor]]


class DistillationLoss(nn.Module):
    """Base of the losses between a student and a teacher.

    ``forward(student_features, teacher_features)`` returns the weighted loss. A tap that is one path hands over one
    tensor, a list of paths a list of tensors.

    Args:
        student_tap (str | Sequence[str]): Where the student is read, see :func:`topkd.models.tap.parse_tap`.
        teacher_tap (str | Sequence[str]): Where the teacher is read.
        loss_weight (float): Factor of the loss.

    A loss with ``needs_samples`` is also given the batch's data samples, as a third argument.
    """

    needs_samples = False

    def __init__(self, student_tap: Taps, teacher_tap: Taps, loss_weight: float) -> None:
        super().__init__()
        self.student_tap = student_tap
        self.teacher_tap = teacher_tap
        self.loss_weight = loss_weight

    def adapt(self, student_features: Features, teacher_features: Features) -> None:
        """Infer shapes from the features of a probe image, once, before the optimizer is built."""

    def diagnostics(self, student_features: Features, teacher_features: Features) -> dict[str, Any]:
        """Return scalars worth a line in the log every now and then; their names must not contain 'loss'."""
        return {}
