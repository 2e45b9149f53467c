"""Trained students of a distiller, and the projections that were trained with them, from checkpoints."""

import copy
from collections.abc import Mapping

from torch import nn

from topkd.models.distillers.distiller import Distiller
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.utils.checkpoint import load_state, load_weights
from topkd.utils.student_state import load_student

TEACHER = 'teacher'


def load_students(model: Distiller, checkpoints: Mapping[str, str]) -> dict[str, nn.Module]:
    """Make one copy of a distiller's student a checkpoint, so that all of them can see the same images.

    Args:
        model (Distiller): Its own student holds the last checkpoint afterwards.
        checkpoints (Mapping[str, str]): By name, see :func:`topkd.utils.student_state.load_student`.

    Returns:
        dict: Students by name, in eval mode.

    Raises:
        ValueError: If a student is named as the teacher is, or weights do not fit.

    Example:
        >>> import torch
        >>> from types import SimpleNamespace
        >>> torch.save(nn.Linear(2, 1).state_dict(), 'student.pth')
        >>> load_students(SimpleNamespace(student=nn.Linear(2, 1)), dict(plain='student.pth'))
        {'plain': Linear(in_features=2, out_features=1, bias=True)}
    """
    if TEACHER in checkpoints:
        raise ValueError(
            f"'{TEACHER}' is the name of the config's own teacher in tables and figures: give the student another "
            'NAME=CHECKPOINT'
        )
    students = {}
    for name, checkpoint in checkpoints.items():
        load_student(model.student, checkpoint)
        students[name] = copy.deepcopy(model.student).eval()
    return students


def load_projections(loss: TopologyLoss, loss_name: str, checkpoints: Mapping[str, str]) -> dict[str, nn.Module | None]:
    """Read, for every student, the projection to the teacher's width that was trained with it.

    Args:
        loss (TopologyLoss): Of a built distiller.
        loss_name (str): Its name in ``model.losses``.
        checkpoints (Mapping[str, str]): By name of the student.

    Returns:
        dict: Modules by name, None for each if the widths agree.

    Raises:
        ValueError: If the widths differ and a checkpoint holds no projection, or one of another shape.

    Example:
        >>> import torch
        >>> loss = TopologyLoss()
        >>> loss.projection = nn.Linear(16, 64)
        >>> weights = loss.projection.state_dict(prefix='losses.topology.projection.')
        >>> torch.save(weights, 'epoch_1.pth')
        >>> load_projections(loss, 'topology', dict(ours='epoch_1.pth'))
        {'ours': Linear(in_features=16, out_features=64, bias=True)}
    """
    if loss.projection is None:
        return dict.fromkeys(checkpoints)
    prefix = f'losses.{loss_name}.projection.'
    result: dict[str, nn.Module | None] = {}
    for name, checkpoint in checkpoints.items():
        weights = load_state(checkpoint)
        found = {key[len(prefix) :]: value for key, value in weights.items() if key.startswith(prefix)}
        if not found:
            raise ValueError(
                f"checkpoint '{checkpoint}' holds no trained projection from the student's points of width "
                f"{loss.projection.in_features} to the teacher's of {loss.projection.out_features}: name the whole "
                'checkpoint of a distillation with this loss (epoch_*.pth); a student trained without it has none, '
                'leave it out'
            )
        projection = nn.Linear(loss.projection.in_features, loss.projection.out_features)
        load_weights(projection, checkpoint, f'{name}, projection', found)
        result[name] = projection.to(loss.projection.weight.device)
    return result
