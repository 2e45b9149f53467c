"""FitNets as a loss of a distiller; the formula: topkd.functional.fitnet."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from topkd.functional.fitnet import hint_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import as_maps, default_taps, map_pairs, unbound
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import add_up


def regressor(student: Tensor, teacher: Tensor) -> nn.Sequential:
    """Build convolution, batch normalization and ReLU from the student's shape to the teacher's.

    A map twice as large is halved by a 3x3 convolution of stride 2, one half as large doubled by a transposed 4x4
    convolution, any other kept by a 1x1 convolution.

    Args:
        student (Tensor): Map (1, C_S, H_S, W_S).
        teacher (Tensor): Map (1, C_T, H_T, W_T).

    Returns:
        nn.Sequential: Maps (N, C_S, H, W) to (N, C_T, H', W').

    Example:
        >>> import torch
        >>> regressor(torch.zeros(1, 4, 8, 8), torch.zeros(1, 6, 16, 16)).eval()(torch.zeros(2, 4, 16, 16)).shape
        torch.Size([2, 6, 32, 32])
    """
    widths, size, target = (student.shape[1], teacher.shape[1]), student.shape[2], teacher.shape[2]
    convolution: nn.Module
    if size == 2 * target:
        convolution = nn.Conv2d(*widths, 3, stride=2, padding=1)
    elif 2 * size == target:
        convolution = nn.ConvTranspose2d(*widths, 4, stride=2, padding=1)
    else:
        convolution = nn.Conv2d(*widths, 1)
    return nn.Sequential(convolution, nn.BatchNorm2d(widths[1]), nn.ReLU())


@MODELS.register_module()
class FitNetLoss(DistillationLoss):
    """Regress the teacher's map from the student's; the terms of several maps are summed.

    The paper trains the lower half of the student by this term first; here, as in the CRD benchmark, it stands beside
    the student's own loss.

    Args:
        loss_weight (float): Defaults to 1.0; the benchmark's is 100.
        student_tap (str | Sequence[str]): Maps of the student. Defaults to 'backbone.layer2', the benchmark's hint
            layer.
        teacher_tap (str | Sequence[str], optional): Maps of the teacher. None: as the student's. Defaults to None.

    Example:
        >>> import torch
        >>> loss = FitNetLoss()
        >>> loss.bind(None, Probe(torch.rand(1, 16, 8, 8), torch.rand(1, 64, 8, 8)))
        >>> loss.regressors[0][0]
        Conv2d(16, 64, kernel_size=(1, 1), stride=(1, 1))
        >>> loss(torch.rand(2, 16, 8, 8), torch.rand(2, 64, 8, 8)).shape
        torch.Size([])

    Source: Romero et al., FitNets, Equation 3; regressor from the CRD benchmark.
    """

    capturable = True

    def __init__(
        self, loss_weight: float = 1.0, student_tap: Taps = 'backbone.layer2', teacher_tap: Taps | None = None
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        self.regressors = nn.ModuleList()

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make a regressor for each pair of maps; see :func:`regressor`.

        Args:
            teacher (Teacher): See :meth:`DistillationLoss.bind`.
            probe (Probe): One map (1, C, H, W) or several of each network.

        Raises:
            ValueError: If the taps are no pairs of maps.
        """
        self.regressors = nn.ModuleList(regressor(*pair) for pair in map_pairs(self, probe))

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W), one or a list of each network."""
        if not self.regressors:
            raise unbound(self)
        levels = zip(self.regressors, as_maps(student_features), as_maps(teacher_features), strict=True)
        return self.loss_weight * add_up(hint_distance(layers(student), teacher) for layers, student, teacher in levels)
