"""What the losses compute: formulas as functions of tensors, a module a method; no third party but torch.

The losses of :mod:`topkd.models.losses` are these, with taps, layers and weights, for MMEngine's configs.

Example:
    >>> import torch
    >>> from topkd.functional import at, kd
    >>> maps, logits = torch.rand(2, 16, 8, 8), torch.randn(2, 10)
    >>> kd.kd_divergence(logits, logits, tau=4.0) + at.attention_distance(maps, maps)
    tensor(0.)
"""
