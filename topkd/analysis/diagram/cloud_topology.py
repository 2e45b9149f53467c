"""Persistence diagrams of single point clouds, by dimension, and the image that they make together (Fig. 6)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from topkd.topology import PersistenceImager, diagrams_without_gradient
from topkd.utils.checkpoint import load_file


class CloudTopology(NamedTuple):
    """Topology of one cloud.

    Attributes:
        diagrams (dict): (m, 2) of (birth, death) by homology dimension, in the order of deaths.
        image (np.ndarray, optional): (rows, columns), rows = persistence, columns = birth, least first; None if none
            could be fitted.

    Example:
        >>> CloudTopology({0: np.array([[0.0, 1.0]])}, image=None).diagrams[0].shape
        (1, 2)
    """

    diagrams: dict[int, np.ndarray]
    image: np.ndarray | None


def cloud_topology(
    clouds: Mapping[str, Tensor],
    homology_dims: Sequence[int],
    spec: dict | None = None,
    resolution: Sequence[int] = (20, 20),
) -> tuple[dict[str, CloudTopology], dict | None]:
    """Compute the diagrams of some clouds and their images, all by one spec, so that they can be compared.

    Args:
        clouds (Mapping[str, Tensor]): Points (n, d) by name, each cloud of its own n and d.
        homology_dims (Sequence[int]): Their diagrams are joined in one image, as in training.
        spec (dict, optional): :meth:`topkd.topology.PersistenceImager.spec`. None: fitted on all of these diagrams.
        resolution (Sequence[int]): Columns and rows of the image if there is no spec. Defaults to (20, 20).

    Returns:
        tuple: :class:`CloudTopology` by name; and the spec, None if none could be fitted because no two of the first
        200 points of the diagrams are more than 1e-5 apart.

    Example:
        >>> square = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        >>> cloud_topology(dict(square=square), (0,))[0]['square'].diagrams[0].tolist()
        [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]

    Source: Figure 6.
    """
    dims = sorted(set(homology_dims))  # as in training: what is fitted depends on the order of the points
    diagrams = {
        name: {dim: diagrams_without_gradient(points[None], (dim,))[0] for dim in dims}
        for name, points in clouds.items()
    }
    joined = [torch.cat(list(group.values())) for group in diagrams.values()]
    imager = _imager(joined, spec, resolution)
    images = (
        [None] * len(joined)
        if imager is None
        else imager(joined).reshape(len(joined), *imager.resolution[::-1]).cpu().numpy()
    )
    topology = {
        name: CloudTopology({dim: diagram.cpu().numpy() for dim, diagram in diagrams[name].items()}, image)
        for name, image in zip(diagrams, images)
    }
    return topology, None if imager is None else imager.spec()


def summarize_diagram(diagram: np.ndarray) -> dict:
    """Return number of classes, least and greatest birth and death, greatest and total persistence as plain values.

    Args:
        diagram (np.ndarray): (m, 2) of (birth, death).

    Returns:
        dict: ``classes`` and, unless there are none, the rest in the unit of the points.

    Example:
        >>> summarize_diagram(np.array([[0.0, 1.0], [0.5, 2.0]]))['total_persistence'].item()
        2.5
    """
    if not len(diagram):
        return dict(classes=0)
    births, deaths = diagram.T.astype(np.float64)
    return dict(
        classes=len(diagram),
        births=[births.min(), births.max()],
        deaths=[deaths.min(), deaths.max()],
        greatest_persistence=(deaths - births).max(),
        total_persistence=(deaths - births).sum(),
    )


def spec_of_file(path: str, homology_dims: Sequence[int] | None = None) -> tuple[dict, Sequence[int]]:
    """Read from a RipsNet file the spec of the images that it was trained on.

    Args:
        path (str): Written by ``tools/train_ripsnet.py``.
        homology_dims (Sequence[int], optional): What is asked for. None: what the file is for.

    Returns:
        tuple: The spec, and its homology dimensions.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If it holds no spec, as the authors' files do, or one of other dimensions.

    Example:
        >>> from topkd.models import RipsNet
        >>> spec = dict(bandwidth=0.5, im_range=[0.0, 1.0, 0.0, 2.0], scale=4.0)
        >>> torch.save(RipsNet(16).to_file(spec), 'ripsnet.pth')
        >>> spec_of_file('ripsnet.pth')[1]
        [0]
    """
    file = load_file(path)
    spec, dims = file.get('spec'), list(file.get('homology_dims', (0,)))
    if not spec:
        raise ValueError(
            f"'{path}' holds no spec of persistence images: name a file of tools/train_ripsnet.py, or leave out --spec"
        )
    if homology_dims is not None and sorted(set(homology_dims)) != dims:
        words = ' '.join(map(str, dims))
        raise ValueError(
            f"the images of '{path}' are of dimensions {words}, asked for are {' '.join(map(str, homology_dims))}: "
            f'give --homology-dims {words}, or leave out --spec'
        )
    return dict(spec, resolution=file.get('resolution', (20, 20))), dims


def _imager(diagrams: Sequence[Tensor], spec: dict | None, resolution: Sequence[int]) -> PersistenceImager | None:
    """Return the imager of a spec, or one fitted to diagrams (m_i, 2); None if there is nothing to fit to."""
    if spec is not None:
        imager = PersistenceImager(spec.get('resolution', resolution))
        imager.load_spec(spec)
        return imager
    try:
        return PersistenceImager(resolution).fit(diagrams)
    except ValueError:  # the diagrams are finite, so their points are too few or too close
        return None
