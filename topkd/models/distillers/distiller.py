"""The method: an untouched student, a frozen teacher, and losses between their features."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from topkd.models.build import build
from topkd.models.distillers.diagnosis import WeakPullWarning, check_finite, gradient_ratio, terms_of, weighted
from topkd.models.distillers.roi_teacher_reader import teacher_reader
from topkd.models.losses.distillation_loss import DistillationLoss, Probe
from topkd.models.probe_image import blank_image
from topkd.models.taps.tap import as_list, pick, tap
from topkd.models.taps.tap_names import TapNames
from topkd.models.taps.tap_paths import whose
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.checks import number, whole, wholes
from topkd.utils.resumable import Resumable
from topkd.utils.tensors import add_up


@MODELS.register_module()
class Distiller(BaseModel, Resumable):
    r"""Train a student by its own loss plus losses against a teacher.

    .. math:: L = \alpha\, L_\mathrm{student} + \sum_k \mathrm{loss\_weight}_k\, L_k

    The student runs its own ``forward(mode='loss')`` and is otherwise left alone: predictions are its predictions, and
    with all weights 0 its gradients are those of plain training.

    Args:
        student (dict | nn.Module): Config of the student, as in its plain baseline.
        teacher (dict | Teacher): Arguments of :class:`topkd.models.Teacher`, or one.
        losses (dict): Configs by name; ``None`` leaves one out. The log calls them ``loss_<name>``.
        data_preprocessor (dict, optional): Given to the student where it has none of its own.
        gradient_interval (int): Steps between two measurements of how strongly a loss pulls at the feature that it
            taps; 0 for never. Defaults to 50.
        probe_shape (Sequence[int], optional): Shape of the image that shows the widths of the taps. None: three
            channels and the size that the networks say they were made for, 64 x 64 if they say nothing.
        student_loss_weight (float): Factor of the student's own loss, alpha. Defaults to 1.0.

    Source: Equation 6.
    """

    def __init__(
        self,
        student: dict | nn.Module,
        teacher: dict | Teacher,
        losses: dict[str, Any],
        data_preprocessor: dict | None = None,
        gradient_interval: int = 50,
        probe_shape: Sequence[int] | None = None,
        student_loss_weight: float = 1.0,
    ) -> None:
        for name, part in dict(student=student, teacher=teacher).items():
            if not isinstance(part, (dict, nn.Module)):
                raise TypeError(f'{name} must be the config of a network, got {part!r}: add it in the config')
        if not isinstance(losses, dict):
            raise TypeError(f'losses must be a dict of losses by name, got {losses!r}: write dict() for none')
        network: Any = student
        if isinstance(student, dict):
            given = {} if data_preprocessor is None else dict(data_preprocessor=data_preprocessor)
            network = MODELS.build({**given, **student})
        super().__init__(data_preprocessor=network.data_preprocessor)
        self.student: BaseModel = network
        self._register_state_dict_hook(_with_students_names)
        # the student's weights and batches must not depend on what surrounds it, or the baseline is no control
        with torch.random.fork_rng():
            self.teacher: Teacher = teacher if isinstance(teacher, Teacher) else Teacher(**teacher)
        # nor may what the losses learn depend on whether the teacher was built here or before
        with torch.random.fork_rng():
            built = {name: build(config) for name, config in losses.items() if config is not None}
            self.losses = cast(Mapping[str, DistillationLoss], nn.ModuleDict(built))
            image = self._probe_image(probe_shape)
            self._resolve_taps(image)
            self.reader = teacher_reader(self.teacher, self.taps('teacher'))
            self._bind(image)
        self.gradient_interval = whole('gradient_interval', gradient_interval, at_least=0)
        self.student_loss_weight = number('student_loss_weight', student_loss_weight, at_least=0)
        self._step = 0
        self._warnings = {name: WeakPullWarning(name) for name in self.losses}

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Compute the losses (``mode='loss'``); every other mode is the student's.

        Args:
            inputs (Tensor): Preprocessed images (N, 3, H, W).
            data_samples (list, optional): As the student expects them.
            mode (str): 'loss', 'predict' or 'tensor'.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples)
        return self.student(inputs, data_samples, mode=mode)

    def loss(self, inputs: Tensor, data_samples: list | None) -> dict[str, Any]:
        """Compute the student's losses, the distillation losses and what the log says of them.

        Args:
            inputs (Tensor): Preprocessed images (N, 3, H, W).
            data_samples (list): As the student expects them.

        Returns:
            dict[str, Tensor]: The student's own entries, ``loss_<name>`` of each loss, and diagnostics.

        Raises:
            FloatingPointError: If a term is not finite.
        """
        # the teacher first: its activations are freed before the student's, which the backward pass needs, are made
        return self.distill(inputs, data_samples, self.reader.read(inputs, self.data_preprocessor, data_samples))

    def distill(
        self, inputs: Tensor, data_samples: list | None, shared: dict[str, Tensor], diagnose: bool = True
    ) -> dict[str, Any]:
        """Do what :meth:`loss` does with features of the teacher that were read already.

        Args:
            inputs (Tensor): Preprocessed images (N, 3, H, W).
            data_samples (list): As the student expects them.
            shared (dict[str, Tensor]): See :meth:`TeacherReader.read`.
            diagnose (bool): Whether losses are checked, pulls are measured now and then, and the step is counted. The
                host waits for the device to do so, which a step in a CUDA graph cannot. Defaults to True.
        """
        with tap(self.student, [*self.taps('student'), *self.reader.student_taps]) as student_features:
            losses = weighted(self.student(inputs, data_samples, mode='loss'), self.student_loss_weight)
        teacher_features = self.reader.complete(shared, student_features)
        pairs = {
            name: (pick(student_features, loss.student_tap), pick(teacher_features, loss.teacher_tap), data_samples)
            for name, loss in self.losses.items()
        }
        for name, loss in self.losses.items():
            losses[f'loss_{name}'] = loss(*pairs[name])
        terms = terms_of(losses)
        total = add_up(term.detach() for term in terms.values())
        losses.update({f'share_{name}': terms[f'loss_{name}'].detach() / total for name in self.losses})
        if diagnose:
            check_finite(terms, (student_features, teacher_features))
            losses.update(self._pulls(terms, pairs) if self.measures_now() else {})
            self.count_step()
        return losses

    def measures_now(self) -> bool:
        """Tell whether this step measures how strongly the losses pull."""
        return self.training and self.gradient_interval > 0 and self._step % self.gradient_interval == 0

    def count_step(self) -> None:
        """Count a step, on which it depends when pulls are measured."""
        self._step += 1

    def progress(self) -> dict[str, Any]:
        """Return the steps so far, on which it depends when pulls are measured, and the weak pulls in a row."""
        return dict(step=self._step, weak={name: warning.weak for name, warning in self._warnings.items()})

    def go_on(self, progress: dict[str, Any]) -> None:
        """Count on from there."""
        self._step = progress['step']
        for name, weak in progress['weak'].items():
            if name in self._warnings:
                self._warnings[name].weak = weak

    def taps(self, network: str) -> list[str]:
        """List the taps of all losses on one network, ``'student'`` or ``'teacher'``."""
        return [path for loss in self.losses.values() for path in as_list(getattr(loss, f'{network}_tap'))]

    def _probe_image(self, shape: Sequence[int] | None) -> Tensor:
        if shape is not None:
            return blank_image(wholes('probe_shape', shape, count=3, at_least=1))
        # a teacher that resizes its images says nothing of the student's
        also = () if self.teacher.input_size is not None else (self.teacher.module,)
        return blank_image(None, self.student, *also)

    def _resolve_taps(self, image: Tensor) -> None:
        """Replace names of taps, such as ``@maps``, by what they are in the two networks."""
        student = TapNames(self.student, image)
        teacher = TapNames(self.teacher.module, self.teacher.resized(image))
        for loss in self.losses.values():
            with whose('student'):
                loss.student_tap = student.resolve(loss.student_tap)
            with whose(f"teacher '{self.teacher.name}'"):
                loss.teacher_tap = teacher.resolve(loss.teacher_tap)

    def _bind(self, image: Tensor) -> None:
        """Show every loss the features of a blank image, so that it can infer widths and refuse what cannot work."""
        student, teacher = self.reader.probe(self.student, self.taps('student'), image)
        for name, loss in self.losses.items():
            try:
                loss.bind(self.teacher, Probe(pick(student, loss.student_tap), pick(teacher, loss.teacher_tap)))
            except ValueError as error:
                raise ValueError(f"loss '{name}': {error}") from error

    def _pulls(self, terms: dict[str, Tensor], pairs: dict[str, Any]) -> dict[str, Tensor]:
        """Return how strongly every distillation term pulls at its features, and what the losses have to say."""
        logs = {}
        for name, loss in self.losses.items():
            feature = pairs[name][0]
            levels = [feature] if isinstance(feature, Tensor) else feature
            if not all(level.requires_grad for level in levels):
                continue
            ratio = gradient_ratio(terms, f'loss_{name}', feature)
            self._warnings[name].update(ratio.item())
            if not ratio.isnan():
                logs[f'gradient_ratio_{name}'] = ratio
            logs.update(
                {f'{key}_{name}': ratio.new_tensor(value) for key, value in loss.diagnostics(*pairs[name]).items()}
            )
        return logs


def _with_students_names(distiller: 'Distiller', state_dict: dict, prefix: str, metadata: Any) -> None:
    """Let the student's weights have the names that it gives them alone, behind ``student.``; in place.

    Networks that rename their weights on saving, such as mmpretrain's TimmClassifier, do so only at the top.
    """
    place = f'{prefix}student.'
    nested = [key for key in state_dict if key.startswith(place)]
    alone = [place + key for key in distiller.student.state_dict()]
    if nested != alone:
        weights = [state_dict.pop(key) for key in nested]
        state_dict.update(zip(alone, weights, strict=True))
