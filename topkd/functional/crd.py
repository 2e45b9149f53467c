"""Contrastive representation distillation: the teacher's embedding of an image among many others (Tian et al. 2020)."""

from torch import Tensor

EPS = 1e-7  # beside the noise, in the authors' code


def noise_contrast(scores: Tensor, num_samples: int) -> Tensor:
    r"""Compute the noise-contrastive loss of one positive and K negatives an image.

    .. math:: -\frac{1}{N} \sum_n \left[\log \frac{s_{n0}}{s_{n0} + K / n_s} +
        \sum_{k = 1}^K \log \frac{K / n_s}{s_{nk} + K / n_s}\right]

    Args:
        scores (Tensor): s, (N, 1 + K), positive; the first column is the positive's.
        num_samples (int): n_s, images of the training set.

    Returns:
        Tensor: Scalar.

    Example:
        >>> import torch
        >>> noise_contrast(torch.tensor([[1.0, 1.0]]), num_samples=1)
        tensor(1.3863)

    Source: Equations 9 to 19; eps of the authors' code.
    """
    noise = (scores.shape[1] - 1) / num_samples
    positive = (scores[:, 0] / (scores[:, 0] + noise + EPS)).log()
    rest = (noise / (scores[:, 1:] + noise + EPS)).log().sum(dim=1)
    return -(positive + rest).mean()
