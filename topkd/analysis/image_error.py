"""How far RipsNet's images are from exact ones on the clouds of a teacher and of its student (Table 8)."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from topkd.analysis.trained_students import TEACHER, network_clouds, network_features
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.models.vectorizers import RipsImage, RipsNet

STUDENT = 'student'


@torch.no_grad()
def image_errors(
    model: nn.Module,
    loss: TopologyLoss,
    batches: Iterable[dict],
    approximate: nn.Module,
    exact: RipsImage,
    limit: int | None = None,
) -> dict[str, dict[str, float]]:
    r"""Compare two vectorizers on the clouds of both networks, in eval mode, batch by batch.

    .. math:: \frac{1}{P} \sum_p (\hat I_p - I_p)^2 \quad\text{and}\quad \|\hat I - I\|_2, \text{ averaged over all clouds}

    Args:
        model (nn.Module): A :class:`topkd.models.Distiller`.
        loss (TopologyLoss): Its topology loss, for taps, clouds and projection.
        batches (Iterable[dict]): As the training dataloader makes them.
        approximate (nn.Module): The vectorizer that is judged.
        exact (RipsImage): The exact image of the same spec.
        limit (int, optional): Number of batches; None for all.

    Returns:
        dict: By 'teacher' and 'student': ``mse``, ``l2``, ``outside`` (share of deaths outside the images' range), and the
        number of ``clouds``.

    The images are augmented as in training, which is what RipsNet has learned.

    Source: Section 6.2, Table 8.
    """
    model.eval()
    sums: dict[str, list[Tensor]] = {TEACHER: [], STUDENT: []}
    outside: dict[str, list[float]] = {TEACHER: [], STUDENT: []}
    for shown in network_features(model, {STUDENT: model.student}, loss, batches, limit, augment=True):
        for name, clouds in network_clouds(loss, {STUDENT: loss.projection}, shown).items():
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


def exact_twin(ripsnet: RipsNet) -> RipsImage:
    """Return the exact image of the spec that a RipsNet was trained for.

    Raises:
        ValueError: If the file holds no spec, as the authors' files do.
    """
    if ripsnet.spec is None:
        raise ValueError(
            'the RipsNet file holds no spec of its images (bandwidth, range, scale), so exact images cannot be '
            'compared with it: train one with tools/gen_pi.py and tools/train_ripsnet.py'
        )
    return RipsImage(ripsnet.homology_dims, ripsnet.resolution, ripsnet.spec)
