"""Complementary relation contrast as a loss of a distiller; the formula: topkd.functional.crcd."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from topkd.functional.crcd import classification_gradient
from topkd.models.indices import indices_of
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import default_taps, unbound
from topkd.models.losses.parts.labels import labels_of
from topkd.models.losses.parts.memory_bank import OtherClasses, fit_banks, training_labels, unprepared
from topkd.models.losses.parts.relation_contrast import RelationContrast
from topkd.models.losses.parts.warmup import current_epoch
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision

TAPS = ('neck[0]', 'head.fc', 'head.fc.weight')


@MODELS.register_module()
class CRCDLoss(DistillationLoss):
    r"""Contrast relations between images, of their features and of the gradients that reach the features.

    .. math:: \mathrm{loss\_weight} \left(L_\mathrm{features} + \mathrm{gradient\_weight} \cdot L_\mathrm{gradients}
        \right)

    Args:
        num_samples (int, optional): Images of the training set. None: as many as it has. Defaults to None.
        embedding (int): Width of the embeddings. Defaults to 128.
        num_negatives (int): Images of other classes, K. Defaults to 500.
        temperature (float): Defaults to 0.05.
        momentum (float): Of the banks. Defaults to 0.5.
        gradient_weight (float): Weight of the second relation; 0 for features alone. Defaults to 1.0.
        stop_epoch (int, optional): Epoch, counted from 0, from which the term is 0; the authors leave it out of the
            last 10 of 250. None: never. Defaults to None.
        loss_weight (float): Defaults to 1.0, the authors'.
        student_tap (Sequence[str]): Input, output and weight of the student's linear classifier. Defaults to
            ('neck[0]', 'head.fc', 'head.fc.weight').
        teacher_tap (Sequence[str], optional): The same of the teacher. None: as the student's. Defaults to None.

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> loss = CRCDLoss(num_samples=100)
        >>> student, teacher = ([torch.rand(1, c), torch.rand(1, 10), torch.rand(10, c)] for c in (16, 64))
        >>> loss.bind(None, Probe(student, teacher))
        >>> loss.relations['gradients'].embed_teacher
        Linear(in_features=64, out_features=128, bias=True)

    Source: Zhu et al., Complementary Relation Contrastive Distillation, CVPR 2021; constants and relations of the
    authors' partial code, which estimates relations without the sub-networks of the paper.
    """

    def __init__(
        self,
        num_samples: int | None = None,
        embedding: int = 128,
        num_negatives: int = 500,
        temperature: float = 0.05,
        momentum: float = 0.5,
        gradient_weight: float = 1.0,
        stop_epoch: int | None = None,
        loss_weight: float = 1.0,
        student_tap: Sequence[str] = TAPS,
        teacher_tap: Sequence[str] | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if min(embedding, num_negatives) < 1 or temperature <= 0 or gradient_weight < 0:
            raise ValueError(
                'embedding, num_negatives and temperature must be positive and gradient_weight not negative, got '
                f'{embedding}, {num_negatives}, {temperature} and {gradient_weight}'
            )
        self.num_negatives, self.gradient_weight, self.stop_epoch = num_negatives, gradient_weight, stop_epoch
        kinds = ('features', 'gradients') if gradient_weight else ('features',)
        relations = {kind: RelationContrast(num_samples, embedding, temperature, momentum) for kind in kinds}
        self.relations = cast(Mapping[str, RelationContrast], nn.ModuleDict(relations))
        self.bound = False
        self.negatives: OtherClasses | None = None

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make the embeddings.

        Args:
            teacher (Teacher): Not asked.
            probe (Probe): A vector (1, C), logits (1, K) and a weight (K, C) of each network.

        Raises:
            ValueError: If the shapes are others.
        """
        for features, taps in ((probe.student, self.student_tap), (probe.teacher, self.teacher_tap)):
            shapes = [] if isinstance(features, Tensor) else [tuple(level.shape) for level in features]
            fits = [len(shape) for shape in shapes] == [2, 2, 2] and shapes[2] == (shapes[1][1], shapes[0][1])
            if not fits:
                raise ValueError(
                    f'CRCDLoss needs the input (N, C), the output (N, K) and the weight (K, C) of a linear classifier, '
                    f'taps {taps} return {shapes}: name all three, such as {list(TAPS)}'
                )
        for relation in self.relations.values():
            relation.bind(probe.student[0].shape[1], probe.teacher[0].shape[1])
        self.bound = True

    def prepare(self, dataset: Any) -> None:
        """Learn the number of the training set's images and their classes.

        Args:
            dataset (Any): The training set.

        Raises:
            TypeError: If it does not tell its labels.
            ValueError: If it has another number of images than the banks.
        """
        banks = [
            bank for relation in self.relations.values() for bank in (relation.student_bank, relation.teacher_bank)
        ]
        fit_banks(self, banks, dataset)
        device = self.relations['features'].normalizers.device
        self.negatives = OtherClasses(training_labels(dataset)).to(device)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of vectors (N, C), logits (N, K) and weights (K, C), and move the banks."""
        if not self.bound:
            raise unbound(self)
        if self.negatives is None:
            raise unprepared(self)
        device = student_features[0].device
        indices, labels = indices_of(data_samples).to(device), labels_of(data_samples).to(device)
        candidates = torch.cat([indices[:, None], self.negatives.draw(labels, self.num_negatives)], dim=1)
        with torch.autocast(device.type, enabled=False):
            student = full_precision(student_features)
            teacher = full_precision([feature.detach() for feature in teacher_features])
            value = self.relations['features'](student[0], teacher[0], indices, candidates)
            if self.gradient_weight:
                pulls = [classification_gradient(logits, weight, labels) for _, logits, weight in (student, teacher)]
                value = value + self.gradient_weight * self.relations['gradients'](*pulls, indices, candidates)
        # a term that is over stays in the graph, which DistributedDataParallel asks for
        over = self.stop_epoch is not None and current_epoch() >= self.stop_epoch
        return self.loss_weight * (0.0 if over else 1.0) * value
