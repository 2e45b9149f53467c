"""Which features are read at a teacher, and when: once a batch, or once a student if they depend on it."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from topkd.models.taps.tap import reach
from topkd.models.taps.tappable import explained
from topkd.models.teacher import Teacher


class TeacherReader:
    """Choose the taps that losses read at a teacher, and when they are read.

    The forward itself, on the students' images, is :meth:`topkd.models.Teacher.features`.

    Args:
        teacher (Teacher): The frozen network.
        taps (Iterable[str]): Of all losses, see :func:`topkd.models.taps.tap.tap`.
    """

    # what a student must hand over besides the taps of the losses
    student_taps: tuple[str, ...] = ()

    def __init__(self, teacher: Teacher, taps: Iterable[str]) -> None:
        self.teacher = teacher
        self.taps = list(dict.fromkeys(taps))

    def read(
        self, inputs: Tensor, preprocessor: nn.Module, data_samples: Sequence[Any] | None = None
    ) -> dict[str, Tensor]:
        """Return the features that are the same for every student.

        Args:
            inputs (Tensor): Images (N, 3, H, W) as the students' preprocessor made them.
            preprocessor (nn.Module): That preprocessor.
            data_samples (Sequence, optional): Of the batch.
        """
        if not self.taps:
            return {}
        return self.teacher.features(inputs, self.taps, preprocessor, data_samples)

    def complete(self, shared: dict[str, Tensor], student_features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the features that the losses of one student compare with.

        Args:
            shared (dict[str, Tensor]): From :meth:`read`; left as it is.
            student_features (dict[str, Tensor]): What this student showed at its taps and at ``student_taps``.
        """
        return shared

    @torch.no_grad()
    def probe(
        self, student: nn.Module, taps: Sequence[str], image: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Show one image to both networks.

        Args:
            student (nn.Module): The student; its mode stays what it was.
            taps (Sequence[str]): Of the student.
            image (Tensor): (1, 3, H, W).

        Returns:
            tuple: The student's features by tap, and the teacher's.
        """
        training = student.training
        student.eval()
        try:
            with explained('student', student, image):
                features = self._run(student, taps, image)
        finally:
            student.train(training)
        image = self.teacher.resized(image)
        with explained(f"teacher '{self.teacher.name}'", self.teacher.module, image):
            return features, self._run(self.teacher.module, self.taps, image)

    def _run(self, network: nn.Module, taps: Sequence[str], image: Tensor) -> dict[str, Tensor]:
        return reach(network, image, taps) if taps else {}
