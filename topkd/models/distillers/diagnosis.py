"""What the log says of the terms of a loss: are they finite, how large, how strongly do they pull."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def terms_of(losses: dict[str, Any]) -> dict[str, Tensor]:
    """Keep what MMEngine adds up: entries with 'loss' in their key, lists of tensors summed.

    Args:
        losses (dict): What a model returns in mode 'loss'.

    Returns:
        dict[str, Tensor]: Scalars by key.
    """
    return {
        key: value.mean() if isinstance(value, Tensor) else sum(item.mean() for item in value)
        for key, value in losses.items()
        if 'loss' in key
    }


def check_finite(terms: dict[str, Tensor], features: Sequence[dict[str, Tensor]]) -> None:
    """Refuse a step whose loss is not finite.

    Args:
        terms (dict[str, Tensor]): Scalars by key.
        features (Sequence[dict[str, Tensor]]): Tapped features, searched for the cause.

    Raises:
        FloatingPointError: Naming the terms, and the taps where the features are not finite either.
    """
    # one synchronization with the device, not one a term
    if torch.stack([term.detach().float() for term in terms.values()]).isfinite().all():
        return
    broken = [name for name, term in terms.items() if not term.isfinite()]
    taps = {path for group in features for path, tensor in group.items() if not tensor.isfinite().all()}
    where = f'the features at {", ".join(sorted(taps))} are not finite' if taps else 'all tapped features are finite'
    raise FloatingPointError(
        f'{", ".join(broken)} must be finite, got nan or inf ({where}): look at the images and labels of '
        'this batch, lower the learning rate or the loss weight, or train without --amp'
    )


def gradient_ratio(terms: dict[str, Tensor], name: str, feature: Tensor | Sequence[Tensor]) -> Tensor:
    r"""Compare how strongly one term and all others pull at a feature.

    .. math:: \|\partial L_\mathrm{name} / \partial f\| \,/\, \|\partial (L - L_\mathrm{name}) / \partial f\|

    Args:
        terms (dict[str, Tensor]): Scalars by key, in one graph.
        name (str): Key of the term.
        feature (Tensor | Sequence[Tensor]): A tensor of that graph, or several, whose gradients count as one vector.

    Returns:
        Tensor: Scalar; 0 where the term does not depend on the feature.
    """
    others = sum(term for key, term in terms.items() if key != name)
    features = [feature] if isinstance(feature, Tensor) else list(feature)
    return _pull(terms[name], features) / _pull(others, features).clamp_min(torch.finfo(torch.float32).tiny)


def _pull(term: Tensor, features: Sequence[Tensor]) -> Tensor:
    zero = features[0].new_zeros((), dtype=torch.float32)
    if not term.requires_grad:
        return zero
    gradients = torch.autograd.grad(term, features, retain_graph=True, allow_unused=True)
    norms = [gradient.float().norm() for gradient in gradients if gradient is not None]
    return torch.stack(norms).norm() if norms else zero
