"""Class scores of every cell of a one-stage detector, weighted by the teacher's foreground (Du et al. 2021)."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Scores(NamedTuple):
    """Logarithms of scores between 0 and 1 and of what they lack to 1.

    Attributes:
        yes (Tensor): log p, (N, C, H, W).
        no (Tensor): log(1 - p), (N, C, H, W).

    Example:
        >>> Scores(yes=torch.tensor(0.25).log(), no=torch.tensor(0.75).log()).no.exp()
        tensor(0.7500)
    """

    yes: Tensor
    no: Tensor


def scores(logits: Tensor, objectness: Tensor | None = None) -> Scores:
    r"""Turn the logits of a dense head into the scores that the detector reports.

    .. math:: p = \sigma(c) \quad\text{or}\quad p = \sigma(c)\, \sigma(o)

    Args:
        logits (Tensor): c, (N, A K, H, W): one sigmoid for each anchor and class.
        objectness (Tensor, optional): o, (N, 1, H, W), of a head that scores objects apart from classes.

    Returns:
        Scores: In full precision.

    Example:
        >>> scores(torch.zeros(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)).yes.exp()
        tensor([[[[0.2500]]]])
    """
    logits = logits.float()
    yes, no = F.logsigmoid(logits), F.logsigmoid(-logits)
    if objectness is None:
        return Scores(yes, no)
    # 1 - p = (1 - sigma(c)) + sigma(c) (1 - sigma(o)), without a difference of almost equal numbers
    missing = yes + F.logsigmoid(-objectness.float())
    return Scores(yes + F.logsigmoid(objectness.float()), torch.logaddexp(no, missing))


def richness_divergence(student: Scores, teacher: Scores) -> Tensor:
    r"""Compute the divergence of binary scores, each cell weighted by the teacher's highest score there.

    .. math:: \frac{1}{\sum_{n, i} S_{ni}} \sum_{n, i} S_{ni} \sum_c \Big( p^T_{nci} \log \frac{p^T_{nci}}{p^S_{nci}}
        + (1 - p^T_{nci}) \log \frac{1 - p^T_{nci}}{1 - p^S_{nci}} \Big), \qquad S_{ni} = \max_c p^T_{nci}

    Args:
        student (Scores): (N, C, H, W).
        teacher (Scores): (N, C, H, W).

    Returns:
        Tensor: Scalar.

    Example:
        >>> level = scores(torch.rand(2, 3, 4, 4))
        >>> float(richness_divergence(level, level))
        0.0

    Source: Section 3.3. The source has the binary cross entropy, which is this divergence plus the teacher's entropy, a
    constant: the gradients are the same.
    """
    richness = teacher.yes.exp().amax(dim=1)
    divergence = teacher.yes.exp() * (teacher.yes - student.yes) + teacher.no.exp() * (teacher.no - student.no)
    total = richness.sum().clamp_min(torch.finfo(richness.dtype).tiny)
    return (richness * divergence.sum(dim=1)).sum() / total
