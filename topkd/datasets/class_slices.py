"""The same share of every class, chosen by the content of the images and not by their order in a file."""

import hashlib

from torch import Tensor


def class_slice(images: Tensor, labels: Tensor, begin: int, end: int, seed: int = 0) -> list[int]:
    """List the images of ranks ``begin`` to ``end - 1`` of every class.

    Within its class an image is ranked by the SHA-256 digest of the seed and its pixels. So disjoint ranks are disjoint
    sets, and two copies of a data set whose files are in different order give the same images in the same order.

    Args:
        images (Tensor): uint8 pixels (N, 3, H, W).
        labels (Tensor): int64 class numbers (N, ).
        begin (int): First rank, from 0.
        end (int): The rank after the last one.
        seed (int): Another seed is another ranking. Defaults to 0.

    Returns:
        list[int]: Positions, rank by rank, each rank over all classes in ascending order.

    Raises:
        ValueError: If the ranks are none, or a class has fewer images than ``end``.

    Example:
        >>> images = torch.arange(4, dtype=torch.uint8).reshape(4, 1, 1, 1).expand(4, 3, 1, 1)
        >>> labels = torch.tensor([1, 0, 0, 1])
        >>> first, second = class_slice(images, labels, 0, 1), class_slice(images, labels, 1, 2)
        >>> labels[first].tolist(), sorted(first + second)
        ([0, 1], [0, 1, 2, 3])
    """
    if not 0 <= begin < end:
        raise ValueError(f'expected ranks from 0 with begin below end, got {begin} to {end}: correct per_class')
    prefix = f'{seed}:'.encode()
    by_class: dict[int, list[tuple[bytes, int]]] = {}
    for position, (image, label) in enumerate(zip(images.contiguous().numpy(), labels.tolist())):
        digest = hashlib.sha256(prefix + image.tobytes()).digest()
        by_class.setdefault(label, []).append((digest, position))
    for label, own in by_class.items():
        if len(own) < end:
            raise ValueError(
                f'per_class asks for images up to rank {end} of every class, class {label} has {len(own)}: lower it'
            )
    ranked = [[position for _, position in sorted(own)[begin:end]] for _, own in sorted(by_class.items())]
    return [position for rank in zip(*ranked) for position in rank]
