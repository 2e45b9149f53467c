"""What the losses compute: functions of tensors, a module a method, which need torch alone.

The losses of :mod:`topkd.models.losses` are these, with taps, layers and weights, for MMEngine's configs.

Example:
    >>> import torch
    >>> from topkd.functional import at, kd
    >>> maps, logits = torch.rand(2, 16, 8, 8), torch.randn(2, 10)
    >>> kd.kd_divergence(logits, logits, tau=4.0) + at.attention_distance(maps, maps)
    tensor(0.)
"""
