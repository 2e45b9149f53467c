"""A training step of a cohort as one function of static tensors, which never waits for the device."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from topkd.graphs.static_batch import StaticBatch
from topkd.models.distillers.cohort import Cohort
from topkd.models.distillers.diagnosis import terms_of

FINITE = 'finite'
GRAD_NORM = 'grad_norm'


class StaticStep:
    r"""Run teacher, members, losses and optimizer over a static batch.

    A learning rate is a tensor, into which the scheduled one is written before a step. The optimizer, a fused one, is
    told by a tensor whether a member's loss is finite, and leaves its weights and momenta alone otherwise: the host
    learns it after the step.

    Args:
        cohort (Cohort): Members that are stopped have no part in it.
        wrapper (OptimWrapper): In full precision, stepped after every batch.
        batch (StaticBatch): What the step reads.

    Attributes:
        keys (list[str]): Of the scalars that a call returns: the logs of all members as ``<member>/<key>``, the norm of
            the gradients if they are clipped, and ``<member>/finite``.
    """

    def __init__(self, cohort: Cohort, wrapper: OptimWrapper, batch: StaticBatch) -> None:
        self.cohort, self.wrapper, self.batch = cohort, wrapper, batch
        self.members = {name: cohort.members[name] for name in cohort.active}
        self.keys: list[str] = []
        groups = wrapper.optimizer.param_groups
        self.rates = [torch.tensor(float(group['lr']), device=batch.inputs.device) for group in groups]
        self._groups = {name: self._groups_of(member) for name, member in self.members.items()}

    def prepare(self, inputs: Tensor, data_samples: list) -> None:
        """Write a batch and the scheduled learning rates into the static tensors."""
        self.batch.fill(inputs, data_samples)
        for rate, group in zip(self.rates, self.wrapper.optimizer.param_groups):
            rate.fill_(group['lr'])

    def __call__(self) -> Tensor:
        """Take the step.

        Returns:
            Tensor: Scalars in the order of ``keys``, in one vector, which the host reads by one copy.
        """
        logs: dict[str, Tensor] = {}
        preprocessor, samples = self.cohort.data_preprocessor, self.batch.data_samples
        shared = self.cohort.reader.read(self.batch.inputs, preprocessor, samples)
        finite = {}
        for name, member in self.members.items():
            losses = member.distill(self.batch.inputs, samples, shared, diagnose=False)
            finite[name] = torch.stack([term.detach().float() for term in terms_of(losses).values()]).isfinite().all()
            total, log = member.parse_losses(losses)
            total.backward()
            logs.update({f'{name}/{key}': value for key, value in log.items()})
        if self.wrapper.clip_grad_kwargs:
            logs.update(self._clip())
        self._update(finite)
        for parameter in self.cohort.parameters():
            parameter.grad = None  # a checkpoint would hold them, an eager step add to them
        logs.update({f'{name}/{FINITE}': value for name, value in finite.items()})
        self.keys = list(logs)
        return torch.stack([value.detach().float() for value in logs.values()])

    def _clip(self) -> dict[str, Tensor]:
        """Clip as the wrapper does, which would read the norm at once."""
        parameters = [p for p in self.cohort.parameters() if p.requires_grad and p.grad is not None]
        norm = self.wrapper.clip_func(parameters, **self.wrapper.clip_grad_kwargs)
        return {} if norm is None else {GRAD_NORM: norm}

    def _update(self, finite: Mapping[str, Tensor]) -> None:
        """Step the optimizer member by member, since each may be left out."""
        optimizer: Any = self.wrapper.optimizer
        groups = optimizer.param_groups
        try:
            for name, flag in finite.items():
                optimizer.param_groups, optimizer.found_inf = self._groups[name], (~flag).float()
                optimizer.step()
        finally:
            optimizer.param_groups = groups
            del optimizer.found_inf

    def _groups_of(self, member: nn.Module) -> list[dict[str, Any]]:
        """Return the optimizer's groups, cut down to one member's parameters, with the learning rate as a tensor."""
        own = {id(parameter) for parameter in member.parameters()}
        cut = [
            dict(group, params=[p for p in group['params'] if id(p) in own], lr=rate)
            for group, rate in zip(self.wrapper.optimizer.param_groups, self.rates)
        ]
        return [group for group in cut if group['params']]
