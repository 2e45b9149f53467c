"""The epoch that a training is in, for losses that ask, and a factor that grows over the first epochs."""

from mmengine.logging import MessageHub


def current_epoch() -> int:
    """Return the epoch, from 0, that MMEngine's runner writes to its message hub; 0 outside of a training by epochs.

    Example:
        >>> current_epoch()
        0
    """
    return MessageHub.get_current_instance().get_info('epoch', 0)


def warmup_factor(epochs: int) -> float:
    r"""Return the factor of a loss that grows linearly.

    .. math:: \min\left(\frac{\mathrm{epoch} + 1}{\mathrm{epochs}}, 1\right)

    with the epoch of :func:`current_epoch`.

    Args:
        epochs (int): Epochs until the loss has its full weight; 0 for all of it at once.

    Returns:
        float: From 1 / epochs to 1.

    Example:
        >>> warmup_factor(0)
        1.0
    """
    if epochs == 0:
        return 1.0
    return min((current_epoch() + 1) / epochs, 1.0)
