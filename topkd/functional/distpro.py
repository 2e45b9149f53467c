"""Distillation processes: which pathways between two networks weigh how much in which epoch (Deng et al. 2022)."""

import torch
from torch import Tensor


def pathway_weights(alphas: Tensor, searching: bool) -> Tensor:
    r"""Turn the entries of a process into weights.

    .. math:: w_p = \frac{e^{\alpha_p}}{\sum_q e^{\alpha_q}} \text{ in a search}, \qquad
        w_p = \frac{P e^{\alpha_p}}{e + \sum_q e^{\alpha_q}} \text{ afterwards}

    Args:
        alphas (Tensor): alpha, (P,), one a pathway.
        searching (bool): Whether the process is being searched.

    Returns:
        Tensor: (P,).

    Example:
        >>> pathway_weights(torch.zeros(2), searching=True)
        tensor([0.5000, 0.5000])

    Source: normalization of the authors' code in its two stages.
    """
    if searching:
        return alphas.softmax(dim=0)
    return len(alphas) * torch.cat([alphas, alphas.new_ones(1)]).softmax(dim=0)[:-1]


def process_at(process: Tensor, epoch: int, epochs: int) -> Tensor:
    """Read a process at an epoch of a training of another length, between two epochs of the search if need be.

    Args:
        process (Tensor): alpha after each epoch of the search, (E, P).
        epoch (int): From 0.
        epochs (int): Length of the training.

    Returns:
        Tensor: (P,).

    Example:
        >>> process_at(torch.tensor([[0.0], [4.0]]), epoch=1, epochs=5)
        tensor([1.])

    Source: the paper's process, stretched to the length of the training.
    """
    position = min(epoch / max(epochs - 1, 1), 1.0) * (len(process) - 1)
    before = int(position)
    after = min(before + 1, len(process) - 1)
    return torch.lerp(process[before], process[after], position - before)
