"""What a training must be like for its steps to be captured, and the optimizer's part in it."""

from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor

from topkd.models.distillers.cohort import Cohort

FUSED = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW)
CHANGING = ('lr', 'initial_lr', 'params')  # in a group of the optimizer: the first is a tensor in a static step


def obstacle(model: Any, wrapper: Any) -> str | None:
    """Say what keeps the steps of a training from being captured.

    Args:
        model (Any): Of the training.
        wrapper (Any): MMEngine's optimizer wrapper.

    Returns:
        str | None: Half a sentence; None if nothing is known against it.

    Example:
        >>> obstacle(torch.nn.Linear(1, 1), None)
        'the model is a Linear: one static step is made of a topkd.Cohort (of one member, if need be)'
    """
    if not isinstance(model, Cohort):
        kind = type(model).__name__
        return f'the model is a {kind}: one static step is made of a topkd.Cohort (of one member, if need be)'
    if type(wrapper) is not OptimWrapper:
        return f'the optimizer wrapper is a {type(wrapper).__name__}: a graph holds a step in full precision'
    if wrapper._accumulative_counts != 1:
        return f'gradients are accumulated over {wrapper._accumulative_counts} steps, whose updates differ'
    if type(wrapper.optimizer) not in FUSED:
        return f'{type(wrapper.optimizer).__name__} is none of SGD, Adam and AdamW, which have a fused step'
    if model.teacher.remembers:
        return "the teacher's outputs are cached, which asks for every image on the host"
    if model.reader.student_taps:
        return 'the teacher scores boxes of the students, whose number differs from step to step'
    return None


def use_fused_step(optimizer: torch.optim.Optimizer) -> None:
    """Let an optimizer take its fused step, which reads rates and counts on the device.

    Args:
        optimizer (torch.optim.Optimizer): SGD, Adam or AdamW; its state may come from a checkpoint.

    Example:
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> optimizer = torch.optim.SGD([weight], lr=0.1)
        >>> use_fused_step(optimizer)
        >>> optimizer.param_groups[0]['fused']
        True
    """
    for group in optimizer.param_groups:
        group.update(fused=True, foreach=False)
        if 'capturable' in group:
            group['capturable'] = True
        for parameter in group['params']:
            step = optimizer.state.get(parameter, {}).get('step')
            if isinstance(step, Tensor):
                optimizer.state[parameter]['step'] = step.to(parameter.device, torch.float32)


def settings(optimizer: torch.optim.Optimizer) -> tuple:
    """Return what a captured step holds of an optimizer as numbers: all but learning rates.

    Args:
        optimizer (torch.optim.Optimizer): Of the training.

    Example:
        >>> settings(torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9))[0][:2]
        (('momentum', 0.9), ('dampening', 0))
    """
    return tuple(
        tuple((key, value) for key, value in group.items() if key not in CHANGING) for group in optimizer.param_groups
    )
