"""The student in a checkpoint of a distillation: its weights under its own names, and its own file beside it.

The names are this package's own: no library knows a distillation's student.
"""

import os.path as osp
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from topkd.utils.checkpoint import load_state, load_weights

# of the student's weights among a distiller's
PREFIX = 'student.'
# of the members' weights among a cohort's
MEMBERS = 'members.'
# of the student's file beside a checkpoint
STUDENT = 'student_'


def member_names(state_dict: Mapping[str, Any]) -> list[str]:
    """Return the names of the members whose weights a state dict holds; empty if it is no cohort's."""
    return list(dict.fromkeys(key.split('.')[1] for key in state_dict if key.startswith(MEMBERS)))


def student_state(state_dict: Mapping[str, Any], member: str | None = None) -> dict[str, Any]:
    """Take the student's weights out of a distiller's state dict, under the names that the plain student uses.

    Args:
        state_dict (Mapping): Of a distiller or a cohort.
        member (str, optional): Name of the cohort's member.

    Raises:
        ValueError: If the state dict holds no student, or no such member.
    """
    names = member_names(state_dict)
    if names and member not in names:
        got = 'none was named' if member is None else f"got '{member}'"
        raise ValueError(f'the checkpoint holds the members {", ".join(names)}, {got}: name one of them by --member')
    prefix = f'{MEMBERS}{member}.{PREFIX}' if names else PREFIX
    student = {key[len(prefix) :]: value for key, value in state_dict.items() if key.startswith(prefix)}
    if not student:
        raise ValueError(
            "the checkpoint holds no student (no key begins with 'student.'): give a checkpoint written by a "
            'distillation config'
        )
    return student


def plain_state(state_dict: Mapping[str, Tensor], member: str | None = None) -> dict[str, Tensor]:
    """Return the weights of a plain network: those of the student, if the state dict is a distillation's.

    Args:
        state_dict (Mapping[str, Tensor]): Of a plain network, a distiller or a cohort.
        member (str, optional): Name of the cohort's member.

    Example:
        >>> import torch
        >>> sorted(plain_state({'student.head.weight': torch.ones(1), 'losses.kd.weight': torch.ones(1)}))
        ['head.weight']
        >>> sorted(plain_state({'head.weight': torch.ones(1)}))
        ['head.weight']
    """
    if any(key.startswith((PREFIX, MEMBERS)) for key in state_dict):
        return student_state(state_dict, member)
    return dict(state_dict)


def load_student(network: nn.Module, path: str, what: str = 'model') -> None:
    """Load a network completely from a checkpoint of its own, or of a distillation whose student it was.

    Args:
        network (nn.Module): Receives the weights.
        path (str): See :func:`load_state`.
        what (str): What the network is, for the message. Defaults to 'model'.

    Raises:
        ValueError: If the weights do not fit, or are those of a whole cohort.
    """
    weights = load_state(path)
    members = member_names(weights)
    if members:
        raise ValueError(
            f"{what}: '{path}' holds the members of a cohort: name the file of one of them, for example "
            f"'{student_path(path, members[0])}'"
        )
    load_weights(network, path, what, plain_state(weights))


def student_path(checkpoint: str, member: str = '') -> str:
    """Return the name of the student's file beside a checkpoint, ``student_<name>`` or ``student_<member>_<name>``.

    Args:
        checkpoint (str): Path of the checkpoint.
        member (str): Of a cohort; '' for a single student. Defaults to ''.
    """
    folder, name = osp.split(checkpoint)
    return osp.join(folder, f'{STUDENT}{member}_{name}' if member else f'{STUDENT}{name}')
