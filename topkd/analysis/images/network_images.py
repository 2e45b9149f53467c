"""Exact and approximated persistence images of teacher and students on the same clouds (Figures 4, 7 and 8)."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from topkd.analysis.trained_students import TEACHER, TrainedStudents
from topkd.models.clouds import IncompleteCloudError
from topkd.models.vectorizers import RipsImage, RipsNet
from topkd.topology import rips_diagrams


class NetworkImages(NamedTuple):
    """Images of one network's clouds, on the CPU.

    Example:
        >>> NetworkImages(exact=torch.rand(8, 400), approximated=None, outside=None).exact.shape
        torch.Size([8, 400])
    """

    exact: Tensor | None  # (B, P); None if the images' spec is not known
    approximated: Tensor | None  # (B, P), by RipsNet; None if there is none
    outside: Tensor | None  # (B, ), share of the diagrams' points that an exact image cannot see


@torch.no_grad()
def network_images(
    trained: TrainedStudents,
    batches: Iterable[dict],
    exact: RipsImage | None,
    approximate: RipsNet | None = None,
    limit: int | None = None,
) -> dict[str, NetworkImages]:
    """Compute the images of all networks' clouds, without augmentation.

    What is kept of a batch are its diagrams and approximated images; the clouds of a large split would not fit on a
    GPU.

    Args:
        trained (TrainedStudents): The networks, with the students' projections.
        batches (Iterable[dict]): Whose images make whole clouds.
        exact (RipsImage, optional): Fitted on the teacher's clouds of all batches if it has no spec.
        approximate (RipsNet, optional): The approximation.
        limit (int, optional): Number of batches; None for all.

    Returns:
        dict: :class:`NetworkImages` by name, the teacher first.

    Raises:
        IncompleteCloudError: If the images are too few for one cloud.
    """
    seen: dict[str, list[_Seen]] = {name: [] for name in trained.names}
    for clouds in trained.clouds(batches, limit):
        for name, points in clouds.items():
            seen[name].append(_look(points, exact, approximate))
    if not seen[TEACHER]:
        raise IncompleteCloudError(
            f'the split has too few images for one cloud of {trained.loss.cloud.num_points}: name a larger split, or '
            'lower cloud.num_points'
        )
    if exact is not None and not exact.imager.fitted:
        exact.imager.fit([diagram for batch in seen[TEACHER] for diagram in batch.diagrams])
    return {name: _images(parts, exact) for name, parts in seen.items()}


def image_figures(images: NetworkImages, teacher: NetworkImages) -> dict[str, float]:
    r"""Summarize the images of a network in plain numbers, means over its clouds.

    .. math:: \mathrm{mse} = \frac{1}{P} \sum_p (\hat I_p - I_p)^2, \quad \mathrm{l2} = \|\hat I - I\|_2

    Args:
        images (NetworkImages): Of the network.
        teacher (NetworkImages): Of the teacher on the same clouds.

    Returns:
        dict: ``clouds``; ``outside``; between exact and approximated images ``mse`` and ``l2``; between the network's
        and the teacher's images ``teacher_exact`` and ``teacher_approximated``, mean squared errors, the latter the
        value that a training minimizes. What needs a kind of image is missing if there is none.

    Example:
        >>> images = NetworkImages(torch.zeros(1, 4), torch.ones(1, 4), torch.zeros(1))
        >>> image_figures(images, images)['l2']
        2.0
    """
    result: dict[str, float] = dict(clouds=max(len(kind) for kind in images[:2] if kind is not None))
    if images.outside is not None:
        result.update(outside=images.outside.mean().item())
    if images.exact is not None and teacher.exact is not None:
        result.update(teacher_exact=_mse(images.exact, teacher.exact))
    if images.approximated is not None and teacher.approximated is not None:
        result.update(teacher_approximated=_mse(images.approximated, teacher.approximated))
    if images.exact is not None and images.approximated is not None:
        difference = (images.approximated - images.exact).double()
        result.update(mse=difference.square().mean().item(), l2=difference.norm(dim=1).mean().item())
    return result


class _Seen(NamedTuple):
    """What is kept of one batch of one network's clouds, on the CPU."""

    diagrams: list[Tensor]  # (m_i, 2), one a cloud; none if there is no exact image
    approximated: Tensor | None  # (B, P)


def _look(points: Tensor, exact: RipsImage | None, approximate: RipsNet | None) -> _Seen:
    diagrams: list[Tensor] = []
    approximated = None
    if exact is not None:
        exact.to(points.device)
        diagrams = [diagram.cpu() for diagram in rips_diagrams(points, exact.homology_dims)]
    if approximate is not None:
        approximated = approximate.to(points.device)(points).cpu()
    return _Seen(diagrams, approximated)


def _images(parts: list[_Seen], exact: RipsImage | None) -> NetworkImages:
    """Compute the exact images of one network, batch by batch."""
    kept = [part.approximated for part in parts if part.approximated is not None]
    approximated = torch.cat(kept) if kept else None
    if exact is None:
        return NetworkImages(None, approximated, None)
    images = torch.cat([exact.imager(part.diagrams).cpu() for part in parts])
    outside = [exact.imager.share_outside([diagram]) for part in parts for diagram in part.diagrams]
    return NetworkImages(images, approximated, torch.tensor(outside, dtype=torch.float64))


def _mse(first: Tensor, second: Tensor) -> float:
    return (first - second).double().square().mean().item()
