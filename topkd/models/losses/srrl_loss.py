"""Softmax regression representation as a loss of a distiller; the formula: topkd.functional.srrl."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from topkd.functional.srrl import pooled, regression_distance
from topkd.models.frozen import Frozen
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, single
from topkd.models.losses.parts.feature_maps import default_taps, he_normal, unbound
from topkd.models.taps.tap import find_module
from topkd.models.teacher import Teacher
from topkd.registry import MODELS


@MODELS.register_module()
class SRRLLoss(DistillationLoss):
    """Match the teacher's feature, and its logits from the student's feature.

    A connector (1x1 convolution, batch normalization, ReLU) brings the student's feature to the teacher's width.
    Vectors are connected as they are; of maps every position is connected, and then the average is taken, as in the
    authors' code.

    Args:
        classifier (str): Module path of the teacher's classifier. Defaults to 'head.fc'.
        loss_weight (float): Defaults to 1.0, the authors'.
        student_tap (str): Vector (N, C) or map (N, C, H, W) of the student. Defaults to 'neck[0]', the pooled vector.
        teacher_tap (str, optional): The input of the teacher's classifier, pooled or not. None: as the student's.
            Defaults to None.

    Example:
        >>> import torch
        >>> from types import SimpleNamespace
        >>> teacher = SimpleNamespace(module=nn.ModuleDict(dict(fc=nn.Linear(64, 10))))
        >>> loss = SRRLLoss(classifier='fc')
        >>> loss.bind(teacher, Probe(torch.rand(1, 16), torch.rand(1, 64)))
        >>> loss(torch.rand(2, 16), torch.rand(2, 64)).shape
        torch.Size([])

    Source: Yang et al., Knowledge Distillation via Softmax Regression Representation Learning.
    """

    capturable = True

    def __init__(
        self,
        classifier: str = 'head.fc',
        loss_weight: float = 1.0,
        student_tap: str = 'neck[0]',
        teacher_tap: str | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        self.path = classifier
        self.classifier: Frozen | None = None
        self.connector: nn.Module | None = None

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make the connector and take the teacher's classifier.

        Args:
            teacher (Teacher): Its classifier is used, but neither trained nor saved.
            probe (Probe): One vector (1, C) or map (1, C, H, W) of each network.

        Raises:
            ValueError: If a tap returns something else, or the classifier reads another width.
        """
        for features, path in ((probe.student, self.student_tap), (probe.teacher, self.teacher_tap)):
            if not isinstance(features, Tensor) or features.ndim not in (2, 4):
                raise ValueError(
                    f"SRRLLoss needs one vector (N, C) or map (N, C, H, W), tap '{path}' returns something else: tap "
                    "'neck[0]'"
                )
        classifier, width = find_module(teacher.module, self.path), single(probe.teacher).shape[1]
        if getattr(classifier, 'in_features', None) != width:
            raise ValueError(
                f"SRRLLoss: the teacher's '{self.path}' must be a linear layer that reads {width} channels, those of "
                f"'{self.teacher_tap}', got {classifier}: set teacher_tap to its input"
            )
        self.classifier = Frozen(classifier)
        connector = nn.Sequential(
            nn.Conv2d(single(probe.student).shape[1], width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.connector = he_normal(connector)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of features (N, C_S) or (N, C_S, H, W), and the same of the teacher."""
        if self.connector is None or self.classifier is None:
            raise unbound(self)
        features = single(student_features)
        maps = features if features.ndim == 4 else features[:, :, None, None]
        student = pooled(self.connector(maps))
        return self.loss_weight * regression_distance(student, pooled(single(teacher_features)), self.classifier)
