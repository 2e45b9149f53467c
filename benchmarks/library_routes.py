"""The same task by several libraries of persistent homology: diagrams, gradients, distances, of what is installed.

A diagram is that of dimension 0 without the points of persistence 0, and that of dimension 1; finite points only.
"""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.util import find_spec

import numpy as np
import torch
from diagram_routes import finite
from gudhi import RipsComplex
from gudhi.hera import wasserstein_distance as hera_distance
from gudhi.sklearn.rips_persistence import RipsPersistence
from torch import Tensor

from topkd.topology import rips_diagrams, wasserstein_distance

DIMS = (0, 1)
Diagrams = list[list[np.ndarray]]


def diagram_routes() -> dict[str, Callable[[Tensor], Diagrams]]:
    """Return functions from clouds (B, n, d) to the diagrams of dimensions 0 and 1, without gradient."""
    routes: dict[str, Callable[[Tensor], Diagrams]] = {
        'gudhi SimplexTree': by_simplex_tree,
        'gudhi RipsPersistence': by_rips_persistence,
    }
    if find_spec('ripser'):
        routes['ripser.py'] = by_ripser
    if find_spec('torch_topological'):
        routes['torch_topological'] = by_torch_topological
    return dict(routes, topkd=by_topkd)


def by_simplex_tree(clouds: Tensor) -> Diagrams:
    """Compute diagrams by gudhi's simplex tree, with collapsed edges."""
    found = []
    for cloud in clouds.double().numpy():
        tree = RipsComplex(points=cloud).create_simplex_tree(max_dimension=1)
        tree.collapse_edges()
        tree.expansion(2)
        tree.compute_persistence()
        found.append([finite(tree.persistence_intervals_in_dimension(dim).reshape(-1, 2)) for dim in DIMS])
    return found


def by_rips_persistence(clouds: Tensor) -> Diagrams:
    """Compute diagrams by gudhi's fork of Ripser, with as many threads as torch."""
    rips = RipsPersistence(homology_dimensions=list(DIMS), n_jobs=torch.get_num_threads())
    found = rips.fit_transform(list(clouds.double().numpy()))
    return [[finite(diagram) for diagram in parts] for parts in found]


def by_ripser(clouds: Tensor) -> Diagrams:
    """Compute diagrams by scikit-tda's ripser."""
    from ripser import ripser

    return [[finite(diagram) for diagram in ripser(cloud, maxdim=1)['dgms']] for cloud in clouds.numpy()]


def by_torch_topological(clouds: Tensor) -> Diagrams:
    """Compute diagrams by torch_topological."""
    with torch.no_grad():
        return [[diagram.numpy() for diagram in parts] for parts in torch_topological_diagrams(clouds)]


def by_topkd(clouds: Tensor) -> Diagrams:
    """Compute diagrams by topkd."""
    with torch.no_grad():
        parts = [rips_diagrams(clouds, (dim,)) for dim in DIMS]
    return [[diagram.numpy() for diagram in pair] for pair in zip(*parts)]


def torch_topological_diagrams(clouds: Tensor) -> list[list[Tensor]]:
    """Return torch_topological's diagrams, with gradient."""
    from torch_topological.nn import VietorisRipsComplex

    return [[part.diagram for part in parts] for parts in VietorisRipsComplex(dim=1)(clouds)]


def gradient_routes() -> dict[str, Callable[[Tensor], Tensor]]:
    """Return functions from clouds to the gradient of their total persistence of dimensions 0 and 1, squared."""

    def by(diagrams: Callable[[Tensor], list[Tensor]]) -> Callable[[Tensor], Tensor]:

        def gradient(clouds: Tensor) -> Tensor:
            points = clouds.clone().requires_grad_()
            lives = torch.cat(diagrams(points)).diff(dim=1)
            return torch.autograd.grad(lives.square().sum(), points)[0]

        return gradient

    routes = {}
    if find_spec('torch_topological'):
        routes['torch_topological'] = by(lambda points: sum(torch_topological_diagrams(points), []))
    return dict(routes, topkd=by(lambda points: rips_diagrams(points, DIMS)))


def distance_routes() -> dict[str, Callable[[list[Tensor]], np.ndarray]]:
    """Return functions from an even number of diagrams to the Wasserstein-1 distances between neighbors."""

    def by_hera(diagrams: list[Tensor]) -> np.ndarray:
        pairs = zip(diagrams[::2], diagrams[1::2])
        return np.array([hera_distance(a.numpy(), b.numpy(), order=1, internal_p=np.inf) for a, b in pairs])

    routes = {'gudhi hera': by_hera}
    if find_spec('torch_topological') and find_spec('ot'):
        routes['torch_topological'] = _by_torch_topological
    return dict(routes, topkd=lambda diagrams: wasserstein_distance(diagrams[::2], diagrams[1::2]).numpy())


def _by_torch_topological(diagrams: list[Tensor]) -> np.ndarray:
    from torch_topological.nn import WassersteinDistance
    from torch_topological.nn.data import PersistenceInformation

    distance, found = WassersteinDistance(), []
    for pair in zip(diagrams[::2], diagrams[1::2]):
        with redirect_stdout(io.StringIO()):
            found.append(float(distance(*([PersistenceInformation([], diagram, 1)] for diagram in pair))))
    return np.array(found)
