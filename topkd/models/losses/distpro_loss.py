"""Distillation processes as a loss of a distiller; the formula: topkd.functional.distpro."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import MessageHub, print_log
from torch import Tensor, nn
from torch.nn import functional as F

from topkd.functional.distpro import pathway_weights, process_at
from topkd.functional.reviewkd import context_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import as_maps, default_taps, he_normal, map_pairs, unbound
from topkd.models.losses.parts.warmup import current_epoch
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.files import read_json
from topkd.utils.tensors import full_precision

TAPS = ('backbone.stem', *(f'backbone.layer{stage}.-1.relu(0)' for stage in (1, 2, 3)))
WIDEST = 512  # channels inside a pathway at most, in the authors' code


class Pathway(nn.Module):
    """Bring a student's map to the channels and the size of a teacher's.

    Args:
        in_channels (int): Of the student's map.
        out_channels (int): Of the teacher's map.

    Example:
        >>> Pathway(16, 64)(torch.rand(2, 16, 8, 8), size=(16, 16)).shape
        torch.Size([2, 64, 16, 16])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        middle = min(WIDEST, in_channels, out_channels)
        self.before = he_normal(_convolution(in_channels, middle))
        self.attention = nn.Conv2d(middle, 1, 1, bias=False)
        self.between = he_normal(_convolution(middle, middle))
        self.after = he_normal(_convolution(middle, out_channels)[:2])

    def forward(self, features: Tensor, size: Sequence[int]) -> Tensor:
        """Map (N, C_S, H, W) to (N, C_T, *size)."""
        features = self.before(features)
        features = self.between(features * self.attention(features))
        return self.after(F.interpolate(features, tuple(size), mode='nearest'))


@MODELS.register_module()
class DistProLoss(DistillationLoss):
    r"""Match teacher maps with equally deep and deeper student maps, each pathway weighted by a process.

    .. math:: \sum_{p = (t, s),\, s \ge t} w_p(\mathrm{epoch})\, d(r_p(f_S^s), f_T^t)

    with d of :func:`topkd.functional.reviewkd.context_distance`. The process is searched in a training of its
    own: ``search=True`` and :class:`topkd.hooks.DistProSearchHook`, which writes it to a file. Without a file all
    pathways weigh the same.

    Args:
        process (str, optional): File of a search. Defaults to None.
        search (bool): Whether this training is the search. Defaults to False.
        loss_weight (float): Defaults to 1.0, the authors'.
        student_tap (Sequence[str]): L maps of the student from shallow to deep. Defaults to the stem and the stages of
            a CIFAR ResNet before their last ReLU.
        teacher_tap (Sequence[str], optional): As many of the teacher. None: as the student's. Defaults to None.

    Raises:
        ValueError: If both ``process`` and ``search`` are given, or the file holds no process.
        FileNotFoundError: If there is no such file.

    Example:
        >>> loss = DistProLoss(search=True)
        >>> student, teacher = ([torch.rand(2, channels, 8, 8) for _ in range(2)] for channels in (16, 64))
        >>> loss.bind(None, Probe(student, teacher))
        >>> loss.pairs, loss(student, teacher).shape
        ([(0, 0), (0, 1), (1, 1)], torch.Size([]))

    Source: Deng et al., DistPro: Searching a Fast Knowledge Distillation Process via Meta Optimization, ECCV 2022;
    pathways of the authors' code.
    """

    alphas: Tensor
    process: Tensor | None

    def __init__(
        self,
        process: str | None = None,
        search: bool = False,
        loss_weight: float = 1.0,
        student_tap: Taps = TAPS,
        teacher_tap: Taps | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if process is not None and search:
            raise ValueError(f"a search makes a process, got search=True and the process '{process}': leave one out")
        self.file, self.search = process, search
        self.pathways = nn.ModuleList()
        self.pairs: list[tuple[int, int]] = []

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make the pathways.

        Args:
            teacher (Teacher): Not asked.
            probe (Probe): L maps (1, C, H, W) of each network.

        Raises:
            ValueError: If the taps are no pairs of maps, or the file's process has other pathways.
        """
        maps = map_pairs(self, probe)
        self.pairs = [(theirs, ours) for theirs in range(len(maps)) for ours in range(theirs, len(maps))]
        self.pathways = nn.ModuleList(
            Pathway(maps[ours][0].shape[1], maps[theirs][1].shape[1]) for theirs, ours in self.pairs
        )
        # a buffer: no step of the student's optimizer changes it, and a resumed search finds it again
        self.register_buffer('alphas', torch.ones(len(self.pairs)))
        self.register_buffer('process', self._read(), persistent=False)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of lists of maps (N, C, H, W)."""
        if not len(self.pathways):
            raise unbound(self)
        student, teacher = as_maps(student_features), as_maps(teacher_features)
        terms = []
        for pathway, (theirs, ours) in zip(self.pathways, self.pairs):
            target = teacher[theirs].detach()
            found = pathway(student[ours], target.shape[2:])
            with torch.autocast(target.device.type, enabled=False):
                terms.append(context_distance(full_precision(found), full_precision(target)))
        weights = pathway_weights(self._alphas(), self.search)
        return self.loss_weight * (weights * torch.stack(terms)).sum()

    def _alphas(self) -> Tensor:
        """Return the entries of the process in this epoch."""
        if self.process is None:
            return self.alphas
        epochs = MessageHub.get_current_instance().get_info('max_epochs', len(self.process))
        return process_at(self.process, current_epoch(), epochs)

    def _read(self) -> Tensor | None:
        """Read the process from its file."""
        if self.file is None:
            if not self.search:
                print_log(
                    'DistProLoss has no process: all pathways weigh the same; search one with '
                    'configs/methods/search/distpro_*.py and give its file',
                    'current',
                )
            return None
        path = Path(self.file)
        if not path.is_file():
            raise FileNotFoundError(
                f"there is no process '{path}': search one with configs/methods/search/distpro_*.py, which leaves "
                'process.json in its work_dir'
            )
        content = read_json(path, 'pathways', 'alphas')
        if content['pathways'] != [list(pair) for pair in self.pairs] or not content['alphas']:
            raise ValueError(
                f"'{path}' must hold a process of {len(self.pairs)} pathways, got {len(content['pathways'])}: "
                'give the file of a search with these taps'
            )
        return torch.tensor(content['alphas'])


def _convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.ReLU())
