"""What is made of a tapped tensor on the way: a transformer's tokens as a point or a map, channels put first."""

import math
from collections.abc import Callable, Sequence

from torch import Tensor

from topkd.models.taps.tap_paths import TapOutputError, WrongTapError

MOST_EXTRA = 8  # tokens before those of the patches: a class token, DeiT's distillation token, registers


def split_tokens(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Separate the tokens that stand before those of the patches.

    The patches of a square image are the largest square number of tokens at the end.

    Args:
        tokens (Tensor): (N, L, C).

    Returns:
        tuple[Tensor, Tensor]: Class, distillation and register tokens (N, L - g * g, C), patches (N, g * g, C).

    Raises:
        ValueError: If there are more extra tokens than any network has, because the grid of patches is no square.

    Example:
        >>> import torch
        >>> extra, patches = split_tokens(torch.zeros(2, 197, 192))
        >>> extra.shape, patches.shape
        (torch.Size([2, 1, 192]), torch.Size([2, 196, 192]))
    """
    patches = math.isqrt(tokens.shape[1]) ** 2
    extra = tokens.shape[1] - patches
    if extra > MOST_EXTRA:
        raise ValueError(
            f'{tokens.shape[1]} tokens are no square grid of patches and at most {MOST_EXTRA} tokens before it: '
            'tap a module whose tokens show a square image'
        )
    return tokens[:, :extra], tokens[:, extra:]


def class_token(tokens: Tensor) -> Tensor:
    """Return the class token.

    Args:
        tokens (Tensor): (N, L, C).

    Returns:
        Tensor: (N, C).

    Raises:
        ValueError: If there is none, all tokens being those of patches.

    Example:
        >>> import torch
        >>> class_token(torch.zeros(2, 65, 192)).shape
        torch.Size([2, 192])
    """
    extra, patches = split_tokens(tokens)
    if not extra.shape[1]:
        raise ValueError(f"all {patches.shape[1]} tokens are those of patches, there is no class token: take ':mean'")
    return extra[:, 0]


def mean_token(tokens: Tensor) -> Tensor:
    """Average the tokens of the patches.

    Args:
        tokens (Tensor): (N, L, C).

    Returns:
        Tensor: (N, C).

    Example:
        >>> import torch
        >>> mean_token(torch.tensor([[[9.0], [1.0], [2.0], [3.0], [4.0]]]))
        tensor([[2.5000]])
    """
    return split_tokens(tokens)[1].mean(dim=1)


def token_map(tokens: Tensor) -> Tensor:
    """Lay the tokens of the patches out as the image has them.

    Args:
        tokens (Tensor): (N, L, C).

    Returns:
        Tensor: (N, C, g, g).

    Example:
        >>> import torch
        >>> token_map(torch.tensor([[[9.0], [1.0], [2.0], [3.0], [4.0]]]))
        tensor([[[[1., 2.],
                  [3., 4.]]]])
    """
    patches = split_tokens(tokens)[1]
    side = math.isqrt(patches.shape[1])
    return patches.transpose(1, 2).unflatten(2, (side, side))


def channels_first(maps: Tensor) -> Tensor:
    """Put the channels of a map before its rows.

    Args:
        maps (Tensor): (N, H, W, C).

    Returns:
        Tensor: (N, C, H, W).

    Example:
        >>> import torch
        >>> channels_first(torch.zeros(2, 8, 8, 96)).shape
        torch.Size([2, 96, 8, 8])
    """
    return maps.permute(0, 3, 1, 2)


# by the word at the end of a tap, with the dimensions that it reads
VIEWS: dict[str, tuple[Callable[[Tensor], Tensor], int, str]] = dict(
    cls=(class_token, 3, 'tokens (N, L, C)'),
    mean=(mean_token, 3, 'tokens (N, L, C)'),
    map=(token_map, 3, 'tokens (N, L, C)'),
    nhwc=(channels_first, 4, 'maps (N, H, W, C)'),
)


def instead(shape: Sequence[int], *words: str) -> str:
    """Say how a tap is to end, for errors about features that look like tokens (N, L, C).

    Args:
        shape (Sequence[int]): Of the features.
        *words (str): Views that would do.

    Returns:
        str: Advice, that of another module for anything else.

    Example:
        >>> instead((2, 65, 192), 'cls', 'mean')
        "tokens become that if the tap ends with ':cls' or ':mean'"
    """
    ends = ' or '.join(f"':{word}'" for word in words)
    return f'tokens become that if the tap ends with {ends}' if len(shape) == 3 else 'tap another module'


def viewed(tap: str, view: str, tensor: Tensor) -> Tensor:
    """Make of a tensor what the word at the end of a tap says.

    Args:
        tap (str): The tap, for the message.
        view (str): 'cls', 'mean', 'map', 'nhwc', or '' for the tensor itself.
        tensor (Tensor): What the module handed over.

    Raises:
        WrongTapError: If there is no such word.
        TapOutputError: If the tensor is not what it is made of.

    Example:
        >>> import torch
        >>> viewed('backbone.layers.11:map', 'map', torch.zeros(2, 65, 192)).shape
        torch.Size([2, 192, 8, 8])
    """
    if not view:
        return tensor
    if view not in VIEWS:
        raise WrongTapError(
            f"tap '{tap}' ends with ':{view}': end it with one of {', '.join(':' + word for word in VIEWS)}", tap
        )
    function, dimensions, what = VIEWS[view]
    if tensor.ndim != dimensions:
        raise TapOutputError(
            f"tap '{tap}' reads {what}, got {tuple(tensor.shape)}: leave out ':{view}', or tap another module", tap
        )
    try:
        return function(tensor)
    except ValueError as error:
        raise TapOutputError(f"tap '{tap}': {error}", tap) from error
