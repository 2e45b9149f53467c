"""How far RipsNet's images are from exact ones on the clouds of a teacher and of its students (Table 8)."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from topkd.analysis.record_file import write_record
from topkd.analysis.trained_students import TrainedStudents
from topkd.models.vectorizers import RipsImage


@torch.no_grad()
def image_errors(
    trained: TrainedStudents,
    batches: Iterable[dict],
    approximate: nn.Module,
    exact: RipsImage,
    limit: int | None = None,
) -> dict[str, dict[str, float]]:
    r"""Compare two vectorizers on the clouds of all networks, batch by batch.

    .. math:: \frac{1}{P} \sum_p (\hat I_p - I_p)^2 \quad\text{and}\quad \|\hat I - I\|_2

    Both are averaged over all clouds. The images are augmented as in training, which is what RipsNet has learned.

    Args:
        trained (TrainedStudents): The networks, with the students' projections.
        batches (Iterable[dict]): As the training dataloader makes them.
        approximate (nn.Module): The vectorizer that is judged.
        exact (RipsImage): The exact image of the same spec.
        limit (int, optional): Number of batches; None for all.

    Returns:
        dict: By network ``mse``, ``l2``, ``outside`` (share of deaths outside the images' range), and the number of
        ``clouds``.

    Source: Section 6.2, Table 8.
    """
    sums: dict[str, list[Tensor]] = {name: [] for name in trained.names}
    outside: dict[str, list[float]] = {name: [] for name in trained.names}
    for shown in trained.features(batches, limit, augment=True):
        for name, clouds in trained.clouds_of(shown).items():
            difference = (approximate(clouds) - exact(clouds)).double()
            sums[name].append(torch.stack([difference.square().mean(1), difference.norm(dim=1)], dim=1).cpu())
            outside[name].append(exact.diagnostics(clouds)['outside'] * len(clouds))
    return {name: _summary(sums[name], outside[name]) for name in sums}


def _summary(errors: list[Tensor], outside: list[float]) -> dict[str, float]:
    every = torch.cat(errors)
    return dict(
        mse=every[:, 0].mean().item(),
        l2=every[:, 1].mean().item(),
        outside=sum(outside) / len(every),
        clouds=len(every),
    )


def write_errors(
    folder: str | Path,
    origin: Mapping[str, Any],
    spec: Mapping[str, Any],
    errors: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> str:
    """Write ``image_error.json`` and return its path.

    Args:
        folder (str | Path): Where to.
        origin (Mapping): See :func:`topkd.analysis.record_file.write_record`.
        spec (Mapping): :meth:`topkd.topology.PersistenceImager.spec` of the exact images.
        errors (Mapping): By name of the vectorizer, see :func:`image_errors`.

    Example:
        >>> errors = dict(RipsNet=dict(teacher=dict(mse=0.01, l2=0.1, outside=0.0, clouds=4)))
        >>> write_errors('.', dict(seed=0), spec=dict(scale=1.0), errors=errors)
        'image_error.json'
    """
    return write_record(folder, 'image_error', origin, dict(spec=spec, errors=errors))
