"""Decoupled knowledge distillation: the target class apart from all others (Zhao et al. 2022)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def decoupled_divergences(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, tau: float
) -> tuple[Tensor, Tensor]:
    r"""Compute the divergences of the target class against the rest, and among the rest.

    .. math:: \mathrm{TCKD} = \tau^2\, \mathrm{KL}(b_T \| b_S), \quad b = (p_y, 1 - p_y), \qquad
        \mathrm{NCKD} = \tau^2\, \mathrm{KL}(\hat p_T \| \hat p_S), \quad \hat p_k = p_k / (1 - p_y),\ k \ne y

    Args:
        student_logits (Tensor): (N, K) with K of 2 or more.
        teacher_logits (Tensor): (N, K).
        labels (Tensor): y, int64 (N,).
        tau (float): Temperature.

    Returns:
        tuple: TCKD and NCKD, scalars, means over the batch; 0 for an empty batch.

    Example:
        >>> logits = torch.tensor([[2.0, 1.0, 0.0]])
        >>> target, rest = decoupled_divergences(logits, logits + 1, torch.tensor([0]), 4.0)
        >>> float(target), float(rest)
        (0.0, 0.0)

    Source: Equations 5 to 7.
    """
    with torch.autocast(student_logits.device.type, enabled=False):
        log_student = F.log_softmax(student_logits.float() / tau, dim=1)
        log_teacher = F.log_softmax(teacher_logits.float() / tau, dim=1)
        # F.one_hot would make the host look at the labels
        target = labels[:, None] == torch.arange(student_logits.shape[1], device=labels.device)
        pairs = []
        for logs in (log_student, log_teacher):
            # the log of 1 - p_y as the sum of all others keeps its precision where p_y is almost 1
            others = logs.masked_fill(target, -torch.inf).logsumexp(dim=1, keepdim=True)
            pairs.append((logs.gather(1, labels[:, None]), others, (logs - others).masked_fill(target, 0)))
        (student_y, student_rest, student_others), (teacher_y, teacher_rest, teacher_others) = pairs
        binary = teacher_y.exp() * (teacher_y - student_y) + teacher_rest.exp() * (teacher_rest - student_rest)
        among = (teacher_others.exp() * (teacher_others - student_others)).sum(dim=1)
        scale = tau**2 / max(len(labels), 1)
        return scale * binary.sum(), scale * among.sum()
