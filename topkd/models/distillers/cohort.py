"""Several students of one teacher, trained side by side on the same batches."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from topkd.models.distillers.distiller import Distiller
from topkd.models.distillers.member_gradients import MemberClip, anywhere, averaged, backward
from topkd.models.distillers.member_scalers import MemberScalers
from topkd.models.distillers.roi_teacher_reader import teacher_reader
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.student_state import member_names


class MemberPredictions(NamedTuple):
    """What one member of a cohort returns for a batch."""

    member: str
    predictions: Any


@MODELS.register_module()
class Cohort(BaseModel):
    """Train members, each a student with its own losses, against one teacher.

    The cohort's reader reads once a batch what all members share; a member's reader completes it by what depends on
    its student, such as the scores of its RoIs. The members follow one after the other, each forward and backward, so
    that the activations of one student exist at a time; then one optimizer steps all parameters, each as if its member
    were alone: gradients are clipped member by member, and every member draws the random numbers that it would draw in
    a training of its own. On the CPU a member's losses, metrics and weights equal those of its own training of the same
    seed bit for bit.

    A member whose loss is not finite is named in the log and stopped; its weights stay as they are, the others go on.

    Args:
        teacher (dict | Teacher): Arguments of :class:`topkd.models.Teacher`, or one.
        members (dict): By name, ``dict(student=..., losses=...)``; further entries are arguments of
            :class:`topkd.models.Distiller`. A member without losses is a plain student.
        data_preprocessor (dict, optional): Given to the students that have none of their own.

    Raises:
        ValueError: If there are no members, a name cannot name a file, two names differ in case only, or the members
            treat images differently.

    Example:
        A config: ``model = dict(type='topkd.Cohort', teacher=TEACHER, members=dict(plain=dict(student=STUDENT,
        losses={}), KD=dict(student=STUDENT, losses=dict(kd=dict(type='KDLoss')))))``
    """

    stopped: Tensor

    def __init__(
        self, teacher: dict | Teacher, members: Mapping[str, dict], data_preprocessor: dict | None = None
    ) -> None:
        _check_names(members)
        start = torch.get_rng_state()
        built: dict[str, Distiller] = {}
        for name, config in members.items():
            torch.set_rng_state(start)
            try:
                built[name] = Distiller(**dict(config, teacher=teacher, data_preprocessor=data_preprocessor))
            except ValueError as error:
                raise ValueError(f"member '{name}': {error}") from error
            teacher = built[name].teacher  # one for all
        first = next(iter(built.values()))
        super().__init__(data_preprocessor=first.data_preprocessor)
        _check_preprocessors(built)
        self.members = cast(Mapping[str, Distiller], nn.ModuleDict(built))
        self.teacher = first.teacher
        taps = [path for member in built.values() for path in member.taps('teacher')]
        self.reader = teacher_reader(self.teacher, taps)
        self.register_buffer('stopped', torch.zeros(len(built), dtype=torch.bool))
        self._active = list(built)  # asked in every step, where the buffer would cost a synchronization

    @property
    def active(self) -> list[str]:
        """list[str]: Names of the members that have not been stopped."""
        return list(self._active)

    @property
    def inactive(self) -> list[str]:
        """list[str]: Names of the members that have been stopped."""
        return [name for name in self.members if name not in self._active]

    def init_weights(self) -> None:
        """Initialize every member as its own training would."""
        start = torch.get_rng_state()
        for member in self.members.values():
            torch.set_rng_state(start)
            member.init_weights()

    def train_step(self, data: Any, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train all members on a batch.

        Args:
            data (Any): A batch as a data loader makes it.
            optim_wrapper (OptimWrapper): Over the parameters of all members.

        Returns:
            dict[str, Tensor]: What each member logs, as ``<member>/<key>``.

        Raises:
            FloatingPointError: If no member is left.
        """
        data = self.data_preprocessor(data, True)
        return self.step(data['inputs'], data['data_samples'], optim_wrapper)

    def step(self, inputs: Tensor, data_samples: Any, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Train all members on a preprocessed batch; :class:`topkd.hooks.CudaGraphHook` puts a graph in its place.

        Args:
            inputs (Tensor): Images (N, 3, H, W).
            data_samples (Any): As the students expect them.
            optim_wrapper (OptimWrapper): Over the parameters of all members.

        Returns:
            dict[str, Tensor]: What each member logs, as ``<member>/<key>``.

        Raises:
            FloatingPointError: If no member is left.
        """
        MemberClip.install(optim_wrapper, self.members)
        scalers = MemberScalers.install(optim_wrapper, self.members)
        start, after, logs, errors = _random_states(inputs), None, {}, {}
        with optim_wrapper.optim_context(self.teacher):  # in the precision of a single run
            shared = self.reader.read(inputs, self.data_preprocessor, data_samples)
        for name in self.active:
            _set_random_states(inputs, start)
            member = self.members[name]
            try:
                with optim_wrapper.optim_context(member):
                    total, log = member.parse_losses(member.distill(inputs, data_samples, shared))
            except FloatingPointError as error:
                errors[name] = error
                continue
            except ValueError as error:
                error.args = (f"member '{name}': {error}",)
                raise
            if scalers is not None:
                scalers.current = name
            backward(optim_wrapper, total)
            after = _random_states(inputs) if after is None else after
            logs.update({f'{name}/{key}': value for key, value in log.items()})
        _set_random_states(inputs, start if after is None else after)
        self._stop_all(errors, inputs.device)
        averaged(self.members[name] for name in self.active)
        optim_wrapper._inner_count += 1  # one batch, however many members went backward
        if optim_wrapper.should_update():
            optim_wrapper.step()
            optim_wrapper.zero_grad()
        return logs

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Run all members that are not stopped.

        Args:
            inputs (Tensor): Preprocessed images (N, 3, H, W).
            data_samples (list, optional): As the students expect them.
            mode (str): 'loss', 'predict' or 'tensor'.

        Returns:
            list[MemberPredictions] | dict: What every member returns; for 'loss' the losses of all, as
            ``<member>/<key>``.
        """
        if mode != 'loss':
            return [MemberPredictions(name, self._predict(name, inputs, data_samples, mode)) for name in self.active]
        shared = self.reader.read(inputs, self.data_preprocessor, data_samples)
        found = {name: self.members[name].distill(inputs, data_samples, shared) for name in self.active}
        return {f'{name}/{key}': value for name, losses in found.items() for key, value in losses.items()}

    def _predict(self, name: str, inputs: Tensor, data_samples: Sequence[Any] | None, mode: str) -> Any:
        # predictions are written into the data samples, of which every member needs its own
        own = None if data_samples is None else [sample.clone() for sample in data_samples]
        return self.members[name](inputs, own, mode=mode)

    def _stop_all(self, errors: Mapping[str, FloatingPointError], device: torch.device) -> None:
        """Stop the members whose loss was not finite, in this process or in another one."""
        elsewhere = FloatingPointError('its loss in another process is not finite')
        for name in anywhere(errors, self.active, device):
            self.stop(name, errors.get(name, elsewhere))

    def stop(self, name: str, error: FloatingPointError) -> None:
        """Take a member out of the training.

        Args:
            name (str): Of a member that is active.
            error (FloatingPointError): Says why.

        Raises:
            FloatingPointError: If no member is left.
        """
        print_log(f"member '{name}' is stopped and keeps its weights: {error}", 'current', 40)
        self._active.remove(name)
        self.stopped[list(self.members).index(name)] = True
        for parameter in self.members[name].parameters():
            parameter.grad = None
        if not self._active:
            raise FloatingPointError(f"no member is left, the last one to stop was '{name}': {error}") from error

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        """Refuse a checkpoint of another set of members, and stop those that were stopped."""
        own = {key[len(prefix) :]: value for key, value in state_dict.items() if key.startswith(prefix)}
        found = set(member_names(own))
        if found and found != set(self.members):
            raise ValueError(
                f'the checkpoint holds the members {", ".join(sorted(found))}, this cohort has '
                f'{", ".join(sorted(self.members))}: resume with the same members, or start in another folder'
            )
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._active = [name for name, stopped in zip(self.members, self.stopped.tolist()) if not stopped]


def _check_names(members: Mapping[str, dict]) -> None:
    if not members:
        raise ValueError('a cohort needs one member at least, got none: name some in model.members')
    for name in members:
        if not isinstance(name, str) or not name or any(letter in name for letter in './\\ '):
            raise ValueError(
                f"a member's name is part of files and log keys, got {name!r}: leave out dots, slashes and blanks"
            )
    if len({name.lower() for name in members}) < len(members):
        raise ValueError(f'members must differ in more than case, got {", ".join(members)}: rename one of them')


def _check_preprocessors(members: Mapping[str, Distiller]) -> None:
    """Refuse members that would see other images."""
    described = {name: _described(member.data_preprocessor) for name, member in members.items()}
    first, *others = described
    for name in others:
        if described[name] != described[first]:
            raise ValueError(
                f"the members of a cohort see the same images, '{name}' and '{first}' have other data preprocessors: "
                'give them the same'
            )


def _described(preprocessor: nn.Module) -> tuple:
    plain = {
        key: repr(value)
        for key, value in vars(preprocessor).items()
        if not key.startswith('_') and isinstance(value, (bool, int, float, str, tuple, list, type(None)))
    }
    buffers = {name: tuple(buffer.flatten().tolist()) for name, buffer in preprocessor.named_buffers()}
    return type(preprocessor), plain, buffers


def _random_states(inputs: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the states of the generators that a student draws from: the CPU's and the device's."""
    on_device = torch.cuda.get_rng_state(inputs.device) if inputs.is_cuda else None
    return torch.get_rng_state(), on_device


def _set_random_states(inputs: Tensor, states: tuple[Tensor, Tensor | None]) -> None:
    torch.set_rng_state(states[0])
    if states[1] is not None:
        torch.cuda.set_rng_state(states[1], inputs.device)
