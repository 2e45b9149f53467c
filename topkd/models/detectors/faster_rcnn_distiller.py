"""Two-stage detectors: the teacher scores the boxes that the student looks at."""

from typing import Any

import torch
from torch import Tensor, nn

from topkd.models.distiller import Distiller
from topkd.models.tap import tap
from topkd.registry import MODELS

STUDENT_ROIS = 'roi_head.bbox_roi_extractor(1)'
ROIS_AT_ONCE = (
    1024  # the pooled features of all of them would lie beside everything that the student's backward pass needs
)


@MODELS.register_module()
class FasterRCNNDistiller(Distiller):
    r"""Train a two-stage detector by its own loss plus losses against a teacher.

    What differs from :class:`topkd.models.Distiller` is the teacher's forward. Its box head scores the RoIs that the
    student sampled in this very step, on features that it pools from its own pyramid; so both networks classify the
    same boxes of the same images:

    .. math:: L_\mathrm{KD} = \tau^2\, \frac{1}{R} \sum_r
        \mathrm{KL}(\mathrm{softmax}(z_T(r) / \tau)\, \|\, \mathrm{softmax}(z_S(r) / \tau))

    The teacher runs its backbone and neck once and, where a loss asks for it, its box head; its RPN and its target
    assignment never run.

    Args:
        *args: See :class:`topkd.models.Distiller`.
        **kwargs: The same.

    Raises:
        TypeError: If a loss reads a box head and a network has not exactly one.
        ValueError: If the box heads have other classes, or the teacher resizes its images.

    Source: Appendix C.1.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scores_rois = any(path.startswith('roi_head') for path in super()._taps('teacher'))
        if self.scores_rois:
            self._check_box_heads()

    def forward_teacher(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Run the teacher's backbone and neck.

        Args:
            inputs (Tensor): Preprocessed images (N, 3, H, W).
            data_samples (list): mmdet's data samples.

        Returns:
            dict[str, Tensor]: The tapped features and, as long as the box head needs them, the pyramid's levels.
        """
        paths = [path for path in self._taps('teacher') if not path.startswith('roi_head')]
        if self.scores_rois:
            paths += self._pyramid()
        return self.teacher.features(inputs, paths, self.data_preprocessor, data_samples)

    @torch.no_grad()
    def complete_teacher(self, teacher_features: dict[str, Tensor], student_features: dict[str, Tensor]) -> None:
        """Score the student's RoIs by the teacher's box head.

        Args:
            teacher_features (dict[str, Tensor]): From :meth:`forward_teacher`; gets the taps in ``roi_head``.
            student_features (dict[str, Tensor]): Holds the RoIs (R, 5): number of the image, x1, y1, x2, y2 in pixels.
        """
        if not self.scores_rois:
            return
        teacher = self.teacher.module
        paths = [path for path in self._taps('teacher') if path.startswith('roi_head')]
        pyramid = tuple(teacher_features[path] for path in self._pyramid())
        parts = []
        for rois in student_features[STUDENT_ROIS].detach().split(ROIS_AT_ONCE):
            with tap(teacher, paths) as scores:
                # mmdet's own RoI pooling and box head, the very ones of the teacher's predictions
                teacher.roi_head._bbox_forward(pyramid, rois)
            parts.append(scores)
        teacher_features.update({path: torch.cat([part[path] for part in parts]) for path in paths})

    def _taps(self, network: str) -> list[str]:
        """List the taps of all losses on one network, and where the student hands its RoIs over."""
        taps = super()._taps(network)
        return taps + [STUDENT_ROIS] if network == 'student' and self.scores_rois else taps

    def _pyramid(self) -> list[str]:
        """Name the levels that the teacher's box head reads."""
        return [f'neck[{level}]' for level in range(self.teacher.module.roi_head.bbox_roi_extractor.num_inputs)]

    def _check_box_heads(self) -> None:
        """Refuse networks whose box classifiers cannot be compared."""
        classes = {}
        for name, network in dict(student=self.student, teacher=self.teacher.module).items():
            head = getattr(getattr(network, 'roi_head', None), 'bbox_head', None)
            if head is None or isinstance(head, nn.ModuleList):
                raise TypeError(
                    f"a loss on 'roi_head' needs a {name} with one box head, such as mmdet's FasterRCNN, got "
                    f'{type(network).__name__}: choose another {name}, or set that loss to None'
                )
            classes[name] = head.num_classes
        if classes['student'] != classes['teacher']:
            raise ValueError(
                f'student and teacher must classify the same classes, got {classes["student"]} and '
                f"{classes['teacher']}: use a teacher of the student's data set, or set losses.kd=None"
            )
        if self.teacher.input_size is not None:
            raise ValueError(
                f"the student's boxes would not fit a teacher that resizes its images, got teacher.input_size="
                f'{self.teacher.input_size}: remove it'
            )
