"""The images that several networks make of one cloud."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure

from topkd.analysis.images.comparison import image_figure


def network_figure(
    images: Mapping[str, Any],
    cloud: int = 0,
    im_range: Sequence[float] | None = None,
    resolution: Sequence[int] = (20, 20),
    title: str | None = None,
) -> Figure:
    """Draw one column a network: its exact image, RipsNet's, and both as curves beside the teacher's.

    Above a column stand the mean squared error of RipsNet's image and the share of the deaths that an exact image
    cannot see, if there are such images.

    Args:
        images (Mapping): :class:`topkd.analysis.images.network_images.NetworkImages` by name, the teacher first.
        cloud (int): Number of the cloud that is drawn. Defaults to 0.
        im_range (Sequence[float], optional): As in :func:`topkd.analysis.images.comparison.image_figure`.
        resolution (Sequence[int]): Columns and rows of the images. Defaults to (20, 20).
        title (str, optional): Heading of the figure.

    Example:
        >>> from topkd.analysis.images.network_images import NetworkImages
        >>> images = NetworkImages(exact=torch.rand(1, 400), approximated=None, outside=torch.zeros(1))
        >>> network_figure(dict(teacher=images, KD=images)).axes[1].get_title().splitlines()
        ['KD', '0% out of range']
    """
    first = next(iter(images.values()))
    drawn = {
        kind: torch.stack([getattr(network, field)[cloud] for network in images.values()])
        for kind, field in dict(exact='exact', RipsNet='approximated').items()
        if getattr(first, field) is not None
    }
    labels = [f'{name}{_note(network, cloud)}' for name, network in images.items()]
    return image_figure(drawn, labels, im_range, resolution, title, reference=True)


def _note(network: Any, cloud: int) -> str:
    note = ''
    if network.exact is not None and network.approximated is not None:
        note += f'\nRipsNet MSE {(network.exact[cloud] - network.approximated[cloud]).square().mean().item():.2g}'
    if network.outside is not None:
        note += f'\n{network.outside[cloud].item():.0%} out of range'
    return note
