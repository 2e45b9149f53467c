"""Gradients of a cohort's members: one backward each, clipped each on its own, averaged over processes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.optim import OptimWrapper
from torch import Tensor, nn


def backward(wrapper: OptimWrapper, loss: Tensor) -> None:
    """Run the backward pass of one member, scaled as for a single model, without counting it as a batch.

    Args:
        wrapper (OptimWrapper): Counts batches to accumulate gradients over.
        loss (Tensor): Total loss of the member.
    """
    count = wrapper._inner_count
    wrapper.backward(wrapper.scale_loss(loss))
    wrapper._inner_count = count


class MemberClip:
    """Clip the gradients of every member on its own, as in a training of its own.

    Args:
        clip (Callable): torch's function that clips a list of parameters.
        members (Mapping[str, nn.Module]): Whose parameters belong together.
    """

    def __init__(self, clip: Callable, members: Mapping[str, nn.Module]) -> None:
        self.clip = clip
        self.owners = {id(parameter): name for name, member in members.items() for parameter in member.parameters()}

    @classmethod
    def install(cls, wrapper: OptimWrapper, members: Mapping[str, nn.Module]) -> None:
        """Let a wrapper clip member by member, if it clips at all."""
        if wrapper.clip_grad_kwargs and not isinstance(wrapper.clip_func, cls):
            wrapper.clip_func = cls(wrapper.clip_func, members)

    def __call__(self, parameters: Sequence[nn.Parameter], **kwargs: Any) -> Tensor | None:
        """Clip, and return the largest norm of a member."""
        groups: dict[str, list[nn.Parameter]] = {}
        for parameter in parameters:
            groups.setdefault(self.owners[id(parameter)], []).append(parameter)
        norms = [self.clip(group, **kwargs) for group in groups.values()]
        found = [norm for norm in norms if norm is not None]
        return torch.stack(found).max() if found else None


def anywhere(chosen: Collection[str], names: Sequence[str], device: torch.device) -> list[str]:
    """List the names that any process has chosen; all processes get the same list.

    Args:
        chosen (Collection[str]): Of this process.
        names (Sequence[str]): All that can be chosen, the same in every process.
        device (torch.device): On which the processes talk.

    Returns:
        list[str]: In the order of ``names``.

    Example:
        >>> anywhere({'KD'}, ['plain', 'KD'], torch.device('cpu'))
        ['KD']
    """
    if get_world_size() > 1:
        marks = torch.tensor([float(name in chosen) for name in names], device=device)
        all_reduce(marks, 'max')
        chosen = [name for name, mark in zip(names, marks.tolist()) if mark]
    return [name for name in names if name in chosen]


def averaged(members: Iterable[nn.Module]) -> None:
    """Average the gradients of all processes, member by member in one message each.

    Every process has the same members and the same parameters with gradients, or all would wait for ever.

    Args:
        members (Iterable[nn.Module]): After their backward passes.
    """
    if get_world_size() == 1:
        return
    for member in members:
        gradients = [parameter.grad for parameter in member.parameters() if parameter.grad is not None]
        if not gradients:
            continue
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        all_reduce(flat, 'mean')
        for gradient, part in zip(gradients, flat.split([gradient.numel() for gradient in gradients])):
            gradient.copy_(part.view_as(gradient))
