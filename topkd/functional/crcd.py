"""Complementary relation contrast: by features, and by the gradients that reach them (Zhu et al. 2021)."""

from torch import Tensor
from torch.nn import functional as F


def classification_gradient(logits: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    r"""Compute the gradient of the mean cross entropy with respect to the input of a linear classifier.

    .. math:: \frac{\partial L}{\partial f_n} = \frac{1}{N} (\mathrm{softmax}(z_n) - e_{y_n})^\top W

    Args:
        logits (Tensor): z, (N, K).
        weight (Tensor): W, (K, C).
        labels (Tensor): y, int64 (N,).

    Returns:
        Tensor: (N, C).

    Example:
        >>> import torch
        >>> classification_gradient(torch.zeros(1, 2), torch.eye(2), torch.tensor([0]))
        tensor([[-0.5000,  0.5000]])

    Source: the gradient element of the paper, in closed form.
    """
    residuals = logits.softmax(dim=1) - F.one_hot(labels, logits.shape[1])
    return residuals @ weight / len(logits)
