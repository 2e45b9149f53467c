"""Overhauled feature distillation as a loss of a distiller; the formula: topkd.functional.ofd."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from topkd.functional.ofd import negative_mean, partial_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import LAYERS, as_maps, default_taps, he_normal, map_pairs, unbound
from topkd.models.taps.stage_taps import STAGE_TAPS, backbone_name
from topkd.models.taps.tap import Taps, as_list, find_module
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import add_up

PRE_ACTIVATIONS = tuple(f'{layer}.-1.relu(0)' for layer in LAYERS)


@MODELS.register_module()
class OFDLoss(DistillationLoss):
    r"""Match the teacher's maps before their ReLU, deeper levels with more weight.

    .. math:: \sum_{l=1}^{L} 2^{l - L}\, d(\mathrm{BN}(W_l f_S^l), f_T^l)

    with d of :func:`partial_distance` and a 1x1 convolution W.

    Args:
        norms (Sequence[str], optional): Module paths of the teacher's batch normalizations before its taps, which
            tell the margins. None: those of :func:`topkd.models.taps.stage_taps.stage_taps`. Defaults to None.
        loss_weight (float): Defaults to 1.0; the benchmark's is 0.001.
        student_tap (str | Sequence[str]): Maps of the student before their ReLU. Defaults to those of a CIFAR ResNet.
        teacher_tap (str | Sequence[str], optional): Maps of the teacher. None: as the student's. Defaults to None.

    Example:
        >>> import torch
        >>> from types import SimpleNamespace
        >>> teacher = SimpleNamespace(module=nn.ModuleDict(dict(bn=nn.BatchNorm2d(64))))
        >>> loss = OFDLoss(norms=['bn'], student_tap='backbone.layer3')
        >>> loss.bind(teacher, Probe(torch.rand(1, 16, 8, 8), torch.rand(1, 64, 8, 8)))
        >>> loss(torch.rand(2, 16, 8, 8), torch.rand(2, 64, 8, 8)).shape
        torch.Size([])

    Source: Heo et al., A Comprehensive Overhaul of Feature Distillation; weights of the levels from the
        authors' code.
    """

    capturable = True

    def __init__(
        self,
        norms: Sequence[str] | None = None,
        loss_weight: float = 1.0,
        student_tap: Taps = PRE_ACTIVATIONS,
        teacher_tap: Taps | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        self.norms = None if norms is None else list(norms)
        self.connectors = nn.ModuleList()

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make a connector for each pair of maps, and read the margins from the teacher.

        Args:
            teacher (Teacher): Its batch normalizations are read.
            probe (Probe): One map (1, C, H, W) or several of each network.

        Raises:
            ValueError: If the taps are no pairs of maps, or no batch normalization of their widths is known.
        """
        pairs = map_pairs(self, probe)
        paths = self._norms_of(teacher) if self.norms is None else self.norms
        if len(paths) != len(pairs):
            raise ValueError(f'OFDLoss needs one norm for each tap, got {len(paths)} for {len(pairs)} taps: set norms')
        for number, (path, (_, level)) in enumerate(zip(paths, pairs)):
            norm: Any = find_module(teacher.module, path)
            width = getattr(norm, 'num_features', None)
            if width != level.shape[1]:
                raise ValueError(
                    f"OFDLoss: norm '{path}' must be a batch normalization of {level.shape[1]} channels, got "
                    f'{type(norm).__name__} of {width}: set norms to those before the teacher taps'
                )
            self.register_buffer(f'margin{number}', negative_mean(norm.weight.detach(), norm.bias.detach()))
        self.connectors = nn.ModuleList(
            he_normal(nn.Sequential(nn.Conv2d(s.shape[1], t.shape[1], 1, bias=False), nn.BatchNorm2d(t.shape[1])))
            for s, t in pairs
        )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W), one or a list of each network."""
        if not self.connectors:
            raise unbound(self)
        levels = zip(self.connectors, as_maps(student_features), as_maps(teacher_features), strict=True)
        terms = [
            partial_distance(connector(student), teacher, getattr(self, f'margin{number}'))
            for number, (connector, student, teacher) in enumerate(levels)
        ]
        return self.loss_weight * add_up(term / 2 ** (len(terms) - 1 - level) for level, term in enumerate(terms))

    def _norms_of(self, teacher: Teacher) -> list[str]:
        """Look up the batch normalizations that belong to the taps of a known teacher."""
        name = backbone_name(teacher.module)
        known = STAGE_TAPS.get(name)
        norms = dict(zip(known.pre_activation or (), known.last_bn or ())) if known else {}
        missing = [path for path in as_list(self.teacher_tap) if path not in norms]
        if missing:
            raise ValueError(
                f'OFDLoss knows no batch normalization before {", ".join(missing)} of a {name}: set norms, or tap '
                f'{", ".join(norms) or "another teacher"}'
            )
        return [norms[path] for path in as_list(self.teacher_tap)]
