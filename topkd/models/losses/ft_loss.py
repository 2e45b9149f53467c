"""Factor transfer as a loss of a distiller; the formula: topkd.functional.ft."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from topkd.functional.ft import factor_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import as_maps, default_taps, map_pairs, unbound
from topkd.models.losses.parts.warmup import current_epoch
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.checkpoint import load_state
from topkd.utils.tensors import full_precision


def _layers(convolution: type, widths: Sequence[int], norm: bool) -> nn.Sequential:
    """Build three 3x3 convolutions between four widths, each with leaky ReLU, and batch normalization if asked for."""
    layers: list[nn.Module] = []
    for before, after in zip(widths, widths[1:]):
        layers.append(convolution(before, after, 3, stride=1, padding=1))
        layers.extend([nn.BatchNorm2d(after)] if norm else [])
        layers.append(nn.LeakyReLU(0.1))
    return nn.Sequential(*layers)


class Paraphraser(nn.Module):
    """Autoencoder of the teacher's map, whose code is the factor.

    Args:
        channels (int): C of the teacher's map.
        factors (int): Channels of the factor.

    Example:
        >>> paraphraser = Paraphraser(channels=64, factors=32)
        >>> paraphraser.encoder(torch.rand(2, 64, 8, 8)).shape, paraphraser(torch.rand(2, 64, 8, 8)).shape
        (torch.Size([2, 32, 8, 8]), torch.Size([]))
    """

    def __init__(self, channels: int, factors: int) -> None:
        super().__init__()
        self.encoder = _layers(nn.Conv2d, (channels, channels, factors, factors), norm=False)
        self.decoder = _layers(nn.ConvTranspose2d, (factors, factors, channels, channels), norm=False)

    def forward(self, teacher: Tensor) -> Tensor:
        """Return the mean squared error of the reconstruction of maps (N, C, H, W), a scalar."""
        reconstructed = self.decoder(self.encoder(teacher))
        with torch.autocast(teacher.device.type, enabled=False):
            return (full_precision(reconstructed) - full_precision(teacher)).square().mean()


@MODELS.register_module()
class FTLoss(DistillationLoss):
    """Match the student's translation with the factors of the teacher's map.

    The paraphraser, which makes the factors, is trained on the teacher alone, before the student learns from it. Two
    ways:

    * In one run (``paraphraser=None``): for the first ``paraphraser_epochs`` epochs this term is the paraphraser's
      reconstruction error, of ``paraphraser_weight``, and the student learns by its own loss only. Then the paraphraser
      stays as it is, and the term is the factors' difference.
    * In two runs, as in the benchmark: the first with ``train_cfg.max_epochs`` equal to ``paraphraser_epochs``, the
      second with ``paraphraser`` set to the first run's checkpoint. The student of the second run starts afresh.

    Args:
        paraphraser (str, optional): Checkpoint of a first run. None: train it here. Defaults to None.
        paraphraser_epochs (int): Epochs of the first stage, without ``paraphraser``. Defaults to 30.
        paraphraser_weight (float): Factor of the reconstruction error. With SGD it is a factor of the paraphraser's
            learning rate: without normalization it needs a smaller one than the student. Defaults to 1.0.
        rate (float): Channels of the factor over channels of the teacher's map. Defaults to 0.5.
        loss_weight (float): Defaults to 1.0; the benchmark's is 200.
        student_tap (str): Map of the student. Defaults to 'backbone.layer3'.
        teacher_tap (str, optional): Map of the teacher. None: as the student's. Defaults to None.

    Raises:
        ValueError: If ``paraphraser_epochs`` is less than 1 and no ``paraphraser`` is given, or ``rate`` is not
            positive.

    Example:
        >>> loss = FTLoss(rate=0.5)
        >>> loss.bind(None, Probe(torch.rand(1, 16, 8, 8), torch.rand(1, 64, 8, 8)))
        >>> loss.translator(torch.rand(2, 16, 8, 8)).shape
        torch.Size([2, 32, 8, 8])

    Source: Kim et al., Paraphrasing Complex Network, Equations 1 to 3; layers from the CRD benchmark.
    """

    def __init__(
        self,
        paraphraser: str | None = None,
        paraphraser_epochs: int = 30,
        paraphraser_weight: float = 1.0,
        rate: float = 0.5,
        loss_weight: float = 1.0,
        student_tap: str = 'backbone.layer3',
        teacher_tap: str | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if paraphraser is None and paraphraser_epochs < 1:
            raise ValueError(
                f'the paraphraser must be trained first, got paraphraser_epochs {paraphraser_epochs} and no file: give '
                'one of them'
            )
        if rate <= 0:
            raise ValueError(f'rate of FTLoss must be positive, got {rate}')
        self.file = paraphraser
        self.paraphraser_epochs = 0 if paraphraser else paraphraser_epochs
        self.paraphraser_weight, self.rate = paraphraser_weight, rate
        self.paraphraser: Paraphraser | None = None
        self.encoder: nn.Module | None = None
        self.translator: nn.Module | None = None

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make translator and paraphraser, or load the latter.

        Args:
            teacher (Teacher): See :meth:`DistillationLoss.bind`.
            probe (Probe): One map (1, C, H, W) of each network.

        Raises:
            ValueError: If the taps are no pair of maps, or the file holds no paraphraser of this width.
        """
        pairs = map_pairs(self, probe)
        if len(pairs) != 1:
            raise ValueError(f'FTLoss compares one map of each network, got {len(pairs)}: name one tap')
        widths = [level.shape[1] for level in pairs[0]]
        factors = max(int(widths[1] * self.rate), 1)
        self.translator = _layers(nn.Conv2d, (widths[0], widths[0], factors, factors), norm=True)
        # what the student learns from gets no gradient, so that weight decay cannot shrink it after the first stage
        self.encoder = _layers(nn.Conv2d, (widths[1], widths[1], factors, factors), norm=False).requires_grad_(False)
        if self.file is not None:
            _load_encoder(self.encoder, self.file)
            return
        self.paraphraser = Paraphraser(widths[1], factors)
        _freeze(self.encoder, self.paraphraser)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the loss of maps (N, C_S, H_S, W_S) and (N, C_T, H_T, W_T).

        Returns:
            Tensor: The reconstruction error in the first stage, the weighted difference of the factors afterwards.
        """
        if self.translator is None or self.encoder is None:
            raise unbound(self)
        (student,), (teacher,) = as_maps(student_features), as_maps(teacher_features)
        teacher = teacher.detach()
        learning = self.paraphraser if current_epoch() < self.paraphraser_epochs else None
        if learning is not None and self.training:
            _freeze(self.encoder, learning)
        with torch.no_grad():
            factors = self.encoder(teacher)
        factor_loss = self.loss_weight * factor_distance(self.translator(student), factors)
        # every parameter stays in the graph in both stages, which DistributedDataParallel asks for
        if learning is not None:
            return self.paraphraser_weight * learning(teacher) + 0 * factor_loss
        return factor_loss + self._unused()

    def _unused(self) -> Tensor | float:
        """Return 0 with a graph to the paraphraser."""
        return 0 if self.paraphraser is None else 0 * sum(weight.sum() for weight in self.paraphraser.parameters())


@torch.no_grad()
def _freeze(encoder: nn.Module, paraphraser: Paraphraser) -> None:
    """Copy the paraphraser as it is now into the encoder that the student learns from."""
    for ours, learned in zip(encoder.parameters(), paraphraser.encoder.parameters()):
        ours.copy_(learned)


def _load_encoder(encoder: nn.Module, path: str) -> None:
    """Read the encoder from the checkpoint of a first run, whatever the loss is called there."""
    marker = 'paraphraser.encoder.'
    weights = {key.split(marker)[1]: value for key, value in load_state(path).items() if marker in key}
    expected = encoder.state_dict()
    if {key: value.shape for key, value in weights.items()} != {key: value.shape for key, value in expected.items()}:
        raise ValueError(
            f'{path} must hold a paraphraser of a map with {expected["0.weight"].shape[1]} channels, got '
            f'{len(weights)} matching weights: give the checkpoint of a first run with this teacher, tap and rate'
        )
    encoder.load_state_dict(weights)
