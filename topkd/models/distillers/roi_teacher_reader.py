"""The reader of two-stage detectors, whose teacher scores the student's boxes, and the choice of the reader."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from topkd.models.distillers.teacher_reader import TeacherReader
from topkd.models.taps.detector_taps import ROI_LABELS, ROIS, box_head, is_of_rois, pyramid_taps
from topkd.models.taps.tap import tap
from topkd.models.teacher import Teacher

ROIS_AT_ONCE = (
    1024  # the pooled features of all of them would lie beside everything that the student's backward pass needs
)


class RoITeacherReader(TeacherReader):
    r"""Let a two-stage teacher score the RoIs that a student sampled in this very step.

    The teacher's box head reads features that it pools from its own pyramid, so both networks classify the same boxes
    of the same images:

    .. math:: L_\mathrm{KD} = \tau^2\, \frac{1}{R} \sum_r
        \mathrm{KL}(\mathrm{softmax}(z_T(r) / \tau)\, \|\, \mathrm{softmax}(z_S(r) / \tau))

    The teacher runs its backbone and neck once a batch and its box head once a student; its RPN and its target
    assignment never run.

    Args:
        teacher (Teacher): A detector with one box head.
        taps (Iterable[str]): Of all losses; those below ``roi_head`` are read RoI by RoI.

    Raises:
        TypeError: If a network has not exactly one box head.
        ValueError: If the box heads have other classes, or the teacher resizes its images.

    Source: Appendix C.1.
    """

    student_taps = (ROIS,)

    def __init__(self, teacher: Teacher, taps: Iterable[str]) -> None:
        super().__init__(teacher, taps)
        _one_box_head(teacher.module, 'teacher')
        if teacher.input_size is not None:
            raise ValueError(
                f"the student's boxes would not fit a teacher that resizes its images, got teacher.input_size="
                f'{teacher.input_size}: remove it'
            )
        # the levels that the teacher's box head reads
        self.pyramid = pyramid_taps(range(teacher.module.roi_head.bbox_roi_extractor.num_inputs))
        self.head_taps = [path for path in self.taps if is_of_rois(path)]

    def read(
        self, inputs: Tensor, preprocessor: nn.Module, data_samples: Sequence[Any] | None = None
    ) -> dict[str, Tensor]:
        """Run the teacher's backbone and neck; see :meth:`TeacherReader.read`."""
        paths = [*(path for path in self.taps if not is_of_rois(path)), *self.pyramid]
        return self.teacher.features(inputs, paths, preprocessor, data_samples)

    @torch.no_grad()
    def complete(self, shared: dict[str, Tensor], student_features: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add the scores of the student's RoIs.

        Args:
            shared (dict[str, Tensor]): From :meth:`read`.
            student_features (dict[str, Tensor]): Holds the RoIs (R, 5): number of the image, x1, y1, x2, y2 in pixels.
        """
        teacher = self.teacher.module
        pyramid = tuple(shared[path] for path in self.pyramid)
        parts = []
        for rois in student_features[ROIS].detach().split(ROIS_AT_ONCE):
            with tap(teacher, self.head_taps) as scores:
                # mmdet's own RoI pooling and box head, the very ones of the teacher's predictions
                teacher.roi_head._bbox_forward(pyramid, rois)
            parts.append(scores)
        return {**shared, **{path: torch.cat([part[path] for part in parts]) for path in self.head_taps}}

    def probe(
        self, student: nn.Module, taps: Sequence[str], image: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Show one image to both networks, as :meth:`TeacherReader.probe`; refuse box heads of other classes."""
        heads = _one_box_head(student, 'student'), _one_box_head(self.teacher.module, 'teacher')
        classes = [head.num_classes for head in heads]
        if classes[0] != classes[1]:
            raise ValueError(
                f'student and teacher must classify the same classes, got {classes[0]} and {classes[1]}: use a '
                "teacher of the student's data set, or set losses.kd=None"
            )
        return super().probe(student, taps, image)

    def _run(self, network: Any, taps: Sequence[str], image: Tensor) -> dict[str, Tensor]:
        """Score one RoI, the whole image; its label counts as the first class."""
        height, width = image.shape[-2:]
        with tap(network, [path for path in taps if path != ROI_LABELS]) as features:
            network.roi_head._bbox_forward(network.extract_feat(image), image.new_tensor([[0, 0, 0, width, height]]))
        return {**features, ROI_LABELS: image.new_zeros(1, dtype=torch.long)}


def teacher_reader(teacher: Teacher, taps: Iterable[str]) -> TeacherReader:
    """Return the reader that the taps of all losses need."""
    taps = list(taps)
    return (RoITeacherReader if any(map(is_of_rois, taps)) else TeacherReader)(teacher, taps)


def _one_box_head(network: nn.Module, name: str) -> nn.Module:
    """Return the only box head of a network."""
    head = box_head(network)
    if head is None:
        raise TypeError(
            f"a loss on 'roi_head' needs a {name} with one box head, such as mmdet's FasterRCNN, got "
            f'{type(network).__name__}: choose another {name}, or set that loss to None'
        )
    return head
