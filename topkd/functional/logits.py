"""The check of losses that compare logits class by class."""

from torch import Tensor


def check_same_classes(student_logits: Tensor, teacher_logits: Tensor) -> None:
    """Refuse logits of different classes.

    Args:
        student_logits (Tensor): (N, K).
        teacher_logits (Tensor): (N, K).

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> import torch
        >>> check_same_classes(torch.zeros(2, 10), torch.ones(2, 10))
    """
    if student_logits.shape != teacher_logits.shape:
        raise ValueError(
            f'student and teacher must have the same classes, got logits {tuple(student_logits.shape)} and '
            f'{tuple(teacher_logits.shape)}: use a teacher of the same data set, or drop this loss'
        )
