"""Mixed precision in a cohort: a gradient scaler for every member."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import Tensor, nn
from torch.amp import GradScaler


class _OneMember:
    """What a gradient scaler sees of the optimizer: the parameters of one member.

    Args:
        parameters (list[nn.Parameter]): Of the member.
    """

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        self.param_groups = [dict(params=parameters)]
        self.looked_at = self.steps = False

    @property
    def has_gradients(self) -> bool:
        """bool: False for a member that was stopped, or whose step has no backward pass."""
        return any(parameter.grad is not None for parameter in self.param_groups[0]['params'])

    def step(self) -> None:
        """Note that the gradients are finite; a scaler does not call this otherwise."""
        self.steps = True

    def drop_gradients(self) -> None:
        """Leave the member out of the next step."""
        for parameter in self.param_groups[0]['params']:
            parameter.grad = None


class MemberScalers:
    """Scale the loss of every member by a factor of its own, and skip a step for those only whose gradients overflow.

    It stands where MMEngine's ``AmpOptimWrapper`` has its one scaler. That one would skip the step of all members if
    one overflows, and lower the factor for all, so that no member would equal its single run.

    Args:
        scaler (GradScaler): Not used yet; every member gets a copy.
        members (Mapping[str, nn.Module]): The members by name.
    """

    def __init__(self, scaler: GradScaler, members: Mapping[str, nn.Module]) -> None:
        self.scalers = {name: copy.deepcopy(scaler) for name in members}
        self.views: dict[str, Any] = {name: _OneMember(list(member.parameters())) for name, member in members.items()}
        self.current = next(iter(self.scalers))

    @classmethod
    def install(cls, wrapper: OptimWrapper, members: Mapping[str, nn.Module]) -> 'MemberScalers | None':
        """Put scalers of all members in the place of a wrapper's one.

        Args:
            wrapper (OptimWrapper): Of the training.
            members (Mapping[str, nn.Module]): The members by name.

        Returns:
            MemberScalers | None: What the wrapper has now; None if it trains in full precision.
        """
        if not isinstance(wrapper, AmpOptimWrapper):
            return None
        if not isinstance(wrapper.loss_scaler, cls):
            wrapper.loss_scaler = cls(wrapper.loss_scaler, members)
        return wrapper.loss_scaler

    def scale(self, loss: Tensor) -> Tensor:
        """Scale the loss of the member named ``current``."""
        return self.scalers[self.current].scale(loss)

    def unscale_(self, optimizer: torch.optim.Optimizer) -> None:
        """Divide the gradients of all members by their factors, for clipping."""
        for name, view in self.views.items():
            if view.has_gradients:
                self.scalers[name].unscale_(view)

    def step(self, optimizer: torch.optim.Optimizer, **kwargs: Any) -> Any:
        """Step the optimizer over the members whose gradients are finite."""
        for name, view in self.views.items():
            view.looked_at, view.steps = view.has_gradients, False
            if view.looked_at:
                self.scalers[name].step(view)
            if not view.steps:
                view.drop_gradients()
        return optimizer.step(**kwargs)

    def update(self, new_scale: float | None = None) -> None:
        """Adapt every member's factor to whether its gradients overflowed."""
        for name, view in self.views.items():
            if view.looked_at:
                self.scalers[name].update(new_scale)

    def state_dict(self) -> dict[str, dict]:
        """Return the states of all scalers by member."""
        return {name: scaler.state_dict() for name, scaler in self.scalers.items()}

    def load_state_dict(self, state: dict[str, dict]) -> None:
        """Load what :meth:`state_dict` returned.

        Args:
            state (dict): By member.

        Raises:
            ValueError: If it is of other members, or of a training with one scaler for all.
        """
        if set(state) != set(self.scalers):
            raise ValueError(
                f'the checkpoint holds gradient scalers of {", ".join(sorted(state))}, this cohort has the members '
                f'{", ".join(sorted(self.scalers))}: resume with the same members, or start in another folder'
            )
        for name, scaler in self.scalers.items():
            scaler.load_state_dict(state[name])
