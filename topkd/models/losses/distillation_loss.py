"""The base of all losses between a student and a teacher: taps, weight, and what a loss learns of the two networks."""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from topkd.models.taps.tap import Taps, check_taps
from topkd.models.teacher import Teacher
from topkd.utils.checks import number

Features = Tensor | Sequence[Tensor]


def single(features: Features) -> Tensor:
    """Return the features of a loss that reads one tap.

    Args:
        features (Tensor | Sequence[Tensor]): What the tap handed over.

    Raises:
        TypeError: If they are those of several taps.

    Example:
        >>> import torch
        >>> single(torch.zeros(2, 16)).shape
        torch.Size([2, 16])
    """
    if not isinstance(features, Tensor):
        raise TypeError(f'this loss reads one tap of each network, got features of {len(features)}: name one path')
    return features


class Probe(NamedTuple):
    """What both networks show a loss of one blank image: a tensor for a tap, a list of tensors for several.

    Example:
        >>> import torch
        >>> Probe(student=torch.zeros(1, 16), teacher=torch.zeros(1, 64)).teacher.shape
        torch.Size([1, 64])
    """

    student: Features
    teacher: Features


class DistillationLoss(nn.Module):
    """Base of the losses between a student and a teacher.

    A distiller calls :meth:`bind` once, before the optimizer is built, then ``forward`` with the features of every
    training batch. A tap that is one path hands over one tensor, a list of paths a list of tensors. Before it binds a
    loss, it replaces names of taps, such as ``@maps``, by the paths of its two networks.

    Args:
        student_tap (str | Sequence[str]): Where the student is read, see :func:`topkd.models.taps.tap.tap`.
        teacher_tap (str | Sequence[str]): Where the teacher is read.
        loss_weight (float): Factor of the loss, 0 or more.

    Raises:
        TypeError: If a tap is no word and no list of words, or the weight no number.
        ValueError: If the weight is negative or not finite.

    Example:
        >>> import torch
        >>> from topkd.models import KDLoss
        >>> loss = KDLoss(tau=4.0, loss_weight=0.9)
        >>> loss.student_tap, loss(torch.zeros(2, 10), torch.zeros(2, 10))
        ('head.fc', tensor(0.))
    """

    # whether a CUDA graph can hold its steps, all alike: they ask nothing of the host, no values of tensors, no random
    # numbers, no place in the training
    capturable = False

    def __init__(self, student_tap: Taps, teacher_tap: Taps, loss_weight: float) -> None:
        super().__init__()
        self.student_tap = check_taps('student_tap', student_tap)
        self.teacher_tap = check_taps('teacher_tap', teacher_tap)
        self.loss_weight = number('loss_weight', loss_weight, at_least=0)

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make the layers whose widths depend on the two networks, and refuse networks that cannot be compared.

        Args:
            teacher (Teacher): The frozen teacher, for what a loss needs besides features: its name, its fingerprint, or
                its classifier.
            probe (Probe): Features of one blank image (N = 1) at the taps of this loss.

        Raises:
            ValueError: If the features do not fit this loss; the message says what was expected, what came and what to
                do.
        """

    def phase(self) -> Hashable | None:
        """Return what steps have in common that are the same operations on the device, with the same numbers.

        Returns:
            Hashable | None: Equal for such steps; None if no two steps are alike, so that no graph can hold one.
        """
        return () if self.capturable else None

    def prepare(self, dataset: Any) -> None:
        """Learn what a loss needs of the whole training set, before every training and every resumed one.

        Args:
            dataset (Any): The training set.
        """

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of a batch.

        Args:
            student_features (Tensor | Sequence[Tensor]): Features at the student's taps, with graph.
            teacher_features (Tensor | Sequence[Tensor]): Features at the teacher's taps, of the same images.
            data_samples (Sequence, optional): The batch's annotations, one data sample an image.

        Returns:
            Tensor: Scalar.
        """
        raise NotImplementedError

    def diagnostics(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> dict[str, Any]:
        """Return scalars worth a line in the log every now and then; their names must not contain 'loss'."""
        return {}


def prepare_losses(model: nn.Module, dataset: Any) -> None:
    """Hand the training set over to every loss of a model.

    Args:
        model (nn.Module): A distiller or a cohort, or one wrapped.
        dataset (Any): The training set.

    Example:
        >>> class Counting(DistillationLoss):
        ...     def prepare(self, dataset):
        ...         print(len(dataset))
        >>> prepare_losses(nn.Sequential(Counting('head.fc', 'head.fc', 1.0)), [1, 2, 3])
        3
    """
    for module in model.modules():
        if isinstance(module, DistillationLoss):
            module.prepare(dataset)
