"""Checks of loss terms, and what the log says of them: shares and gradient ratios."""

import logging
import math
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor

from topkd.utils.tensors import add_up


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


def weighted(losses: dict[str, Any], weight: float) -> dict[str, Any]:
    """Multiply the losses of a model, and leave what it merely logs.

    Args:
        losses (dict): What a model returns in mode 'loss'.
        weight (float): The factor.

    Returns:
        dict: The same keys.

    Example:
        >>> weighted(dict(loss_cls=torch.tensor(2.0), acc=torch.tensor(0.5)), 0.1)
        {'loss_cls': tensor(0.2000), 'acc': tensor(0.5000)}
    """
    if weight == 1:
        return dict(losses)
    return {
        key: (value * weight if isinstance(value, Tensor) else [item * weight for item in value])
        if 'loss' in key
        else value
        for key, value in losses.items()
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
        Tensor: Scalar; 0 if the term does not depend on the feature, nan if nothing else does, or only by what single
        precision makes of zero.
    """
    others = [term for key, term in terms.items() if key != name]
    features = [feature] if isinstance(feature, Tensor) else list(feature)
    pull = _pull(add_up(others), features) if others else features[0].new_zeros(())
    own = _pull(terms[name], features)
    return torch.where(pull > own * torch.finfo(torch.float32).eps, own / pull, torch.nan)


class WeakPullWarning:
    """Say once that a term has hardly any influence on the training, or that this cannot be told.

    Args:
        name (str): Of the loss.
        threshold (float): Gradient ratio below which a term counts as weak. Defaults to 1e-3.
        patience (int): Weak measurements in a row before the warning. Defaults to 10.
    """

    def __init__(self, name: str, threshold: float = 1e-3, patience: int = 10) -> None:
        self.name, self.threshold, self.patience = name, threshold, patience
        self.weak = 0
        self._unknown = False

    def update(self, ratio: float) -> None:
        """Look at a measured gradient ratio, nan if nothing else pulls."""
        if math.isnan(ratio):
            self._say_unknown()
            return
        self.weak = self.weak + 1 if ratio < self.threshold else 0
        if self.weak == self.patience:
            print_log(
                f"loss '{self.name}' pulled with less than {self.threshold:g} of the gradient of all other terms in "
                f'{self.patience} measurements in a row: it hardly acts on the student; raise its loss_weight, '
                'normalize its clouds, or choose another term',
                'current',
                logging.WARNING,
            )

    def _say_unknown(self) -> None:
        if not self._unknown:
            print_log(f'gradient_ratio_{self.name}: n/a, no other term pulls at the feature that it taps', 'current')
        self._unknown = True


def _pull(term: Tensor, features: Sequence[Tensor]) -> Tensor:
    zero = features[0].new_zeros((), dtype=torch.float32)
    if not term.requires_grad:
        return zero
    gradients = torch.autograd.grad(term, features, retain_graph=True, allow_unused=True)
    norms = [gradient.float().norm() for gradient in gradients if gradient is not None]
    return torch.stack(norms).norm() if norms else zero
