"""The focal loss of dense detectors with the signature of mmcv's compiled op, which mmdet calls on a GPU."""

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.compat.missing_op import MissingOp


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float, alpha: float
) -> None:
    r"""Write the focal loss of every score into `output`.

    .. math:: -\alpha\, t\, (1 - p)^\gamma \log p - (1 - \alpha)\, (1 - t)\, p^\gamma \log(1 - p), \qquad p = \sigma(x)

    Args:
        input (Tensor): x, (n, C) logits of any floating dtype.
        target (Tensor): (n,) int64 classes, C for the background; t is 1 for the class and 0 for the others.
        weight (Tensor): Empty: weights by class are not computed here.
        output (Tensor): (n, C), overwritten.
        gamma (float): Exponent.
        alpha (float): Share of the positives.

    Raises:
        NotImplementedError: If there are weights by class.

    Source: Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, Equation 5.
    """
    if weight.numel():
        MissingOp('sigmoid_focal_loss with weights by class')()
    output.copy_(_focal(input, target, gamma, alpha))


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float, alpha: float
) -> None:
    """Write the derivative of :func:`sigmoid_focal_loss_forward` with respect to the logits into `grad_input`.

    Args:
        input (Tensor): (n, C), as in the forward, like all that follow.
        target (Tensor): See above.
        weight (Tensor): See above.
        grad_input (Tensor): (n, C), overwritten.
        gamma (float): See above.
        alpha (float): See above.
    """
    with torch.enable_grad():
        logits = input.detach().requires_grad_()
        gradient = torch.autograd.grad(_focal(logits, target, gamma, alpha).sum(), logits)[0]
    grad_input.copy_(gradient)


def _focal(logits: Tensor, target: Tensor, gamma: float, alpha: float) -> Tensor:
    """Return the loss of every score, in full precision."""
    logits = logits if logits.dtype == torch.float64 else logits.float()
    positive = torch.arange(logits.shape[1], device=target.device) == target[:, None]
    yes, no = F.logsigmoid(logits), F.logsigmoid(-logits)
    return torch.where(positive, -alpha * (gamma * no).exp() * yes, (alpha - 1) * (gamma * yes).exp() * no)
