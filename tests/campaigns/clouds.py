"""Clouds of every kind, hard ones above all: deaths, cycles and images compared with gudhi, gradients with a law."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gudhi
import numpy as np
import torch
from gudhi.representations import PersistenceImage
from torch import Tensor

from topkd.topology import DiagramRange, PersistenceImager, as_diagrams, rips_diagrams, rips_h0

from .report import Limit, Report

KINDS: dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    'normal': lambda draw, n, d: draw.normal(size=(n, d)),
    'on a line': lambda draw, n, d: np.outer(draw.normal(size=n), draw.normal(size=d)),
    'evenly on a line': lambda draw, n, d: np.outer(np.arange(n), np.eye(d)[0]),
    'on a grid': lambda draw, n, d: draw.integers(0, 3, (n, d)).astype(float),
    'with duplicates': lambda draw, n, d: draw.normal(size=(n, d))[draw.integers(0, max(n // 3, 1), n)],
    'one point n times': lambda draw, n, d: np.tile(draw.normal(size=d), (n, 1)),
    'zeros': lambda draw, n, d: np.zeros((n, d)),
    'on a circle': lambda draw, n, d: _circle(draw, n, d, even=False),
    'a regular polygon': lambda draw, n, d: _circle(draw, n, d, even=True),
    'far from the origin': lambda draw, n, d: draw.normal(size=(n, d)) + 300 * draw.normal(size=d),
    'in two clusters': lambda draw, n, d: draw.normal(size=(n, d)) + 50.0 * (np.arange(n) % 2)[:, None],
    'of very different lengths': lambda draw, n, d: draw.normal(size=(n, d)) * 2.0 ** -draw.integers(0, 6, (n, 1)),
}
# powers of two, by which everything scales exactly; points, and their squares but for float16, far from both ends
EXPONENTS = {torch.float16: (-4, 4), torch.float32: (-60, 60), torch.float64: (-480, 480)}
WRONG: dict[str, Callable[[Tensor], Any]] = {
    'NaN': lambda points: _with(points, torch.nan),
    'infinity': lambda points: _with(points, torch.inf),
    'minus infinity': lambda points: _with(points, -torch.inf),
    'one point': lambda points: points[:, :1],
    'no point': lambda points: points[:, :0],
    'no cloud in a batch': lambda points: points[0],
    'whole numbers': lambda points: points.long(),
    'complex numbers': lambda points: points.to(torch.complex64),
    'a list': lambda points: points.tolist(),
}


class Case(NamedTuple):
    """A cloud.

    Attributes:
        points: (1, n, d), of any floating-point type.
        exact: The same numbers, (n, d) in float64, without the scale.
        scale: A power of two.
        what: For the report.
    """

    points: Tensor
    exact: np.ndarray
    scale: float
    what: str

    @property
    def tolerance(self) -> float:
        """float: Of a length, in units of the scale: what rounding of coordinates in the type of the result costs."""
        precision = torch.finfo(torch.float64 if self.points.dtype == torch.float64 else torch.float32).eps
        return 8 * precision * (np.abs(self.exact).max(initial=0) + 1e-300) * self.exact.shape[1] ** 0.5


def campaign(seed: int, limit: Limit, report: Report, root: Path) -> None:
    """Compare clouds until the limit is reached.

    Args:
        seed (int): Of the clouds.
        limit (Limit): When it ends.
        report (Report): Receives counts and problems.
        root (Path): Not used: nothing is written.
    """
    draw, choose = np.random.default_rng(seed), random.Random(seed)
    while limit.another():
        case = _case(draw, choose)
        report.count('clouds')
        problems = [*_deaths(case), *_gradient(case), *_refusals(case, choose)]
        if len(case.exact) <= 14:
            report.count('clouds with cycles')
            problems += _cycles(case)
        report.count('images')
        problems += _image(case)
        for problem in problems:
            report.problem(f'cloud {case.what}: {problem}')


def _case(draw: np.random.Generator, choose: random.Random) -> Case:
    kind = choose.choice(list(KINDS))
    n = choose.choice((2, 2, 3, 4, 5, 6, 8, 9, 13, 14, 17, 32, 64, 65))
    d = choose.choice((1, 2, 3, 5, 16, 64))
    dtype = choose.choice((torch.float16, torch.float32, torch.float32, torch.float64))
    exact = torch.from_numpy(KINDS[kind](draw, n, d)).to(dtype).double()
    exponent = choose.choice((0, choose.randint(*EXPONENTS[dtype])))
    points = (exact * 2.0**exponent).to(dtype)
    # what was rounded at the end of the type's range counts as rounded
    exact = points.double() / 2.0**exponent
    what = f'{kind}, {n} x {d}, {str(dtype)[6:]} x 2^{exponent}'
    return Case(points.unsqueeze(0), exact.numpy(), 2.0**exponent, what)


def _reference(case: Case, dim: int) -> np.ndarray:
    """Return gudhi's finite points (m, 2) of a dimension, those of persistence 0 in dimension 0 included."""
    tree = gudhi.RipsComplex(points=case.exact).create_simplex_tree(max_dimension=dim + 1)
    tree.persistence(min_persistence=-1 if dim == 0 else 0)
    points = tree.persistence_intervals_in_dimension(dim).reshape(-1, 2)
    return points[np.isfinite(points).all(axis=1)]


def _deaths(case: Case) -> list[str]:
    found, expected = rips_h0(case.points), np.sort(_reference(case, 0)[:, 1])
    if found.shape != (1, len(case.exact) - 1) or found.dtype != torch.promote_types(case.points.dtype, torch.float32):
        return [f'deaths {tuple(found.shape)} of {found.dtype}']
    difference = np.abs(found[0].double().numpy() / case.scale - expected).max()
    return [] if difference <= case.tolerance else [f'deaths differ from gudhi by {difference:.3g}']


def _cycles(case: Case) -> list[str]:
    (found,) = rips_diagrams(case.points, (1,))
    distance = gudhi.bottleneck_distance(found.double().numpy() / case.scale, _reference(case, 1))
    return (
        [] if distance <= case.tolerance else [f'cycles differ from gudhi by a bottleneck distance of {distance:.3g}']
    )


def _image(case: Case) -> list[str]:
    """Compare an image with gudhi's of the same diagram."""
    deaths = rips_h0(case.points).double() / case.scale
    diagrams = as_diagrams(deaths)
    positive = deaths[deaths > 0]
    if len(positive) == 0 or positive.max() - positive.min() < 1e-4:
        return []  # there is nothing to fit an image to
    imager = PersistenceImager((1, 20)).set_range(_range_of(diagrams))
    theirs = PersistenceImage(
        bandwidth=imager.bandwidth.item(),
        weight=lambda point: 10 * np.tanh(point[1]) + 10 * np.log(100 * point[0] + 1),
        resolution=(1, 20),
        im_range=imager.im_range.tolist(),
    )
    expected = theirs.fit_transform([diagrams[0].numpy()])[0]
    found = imager.raw(diagrams)[0].numpy()
    difference = np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-300)
    # range and bandwidth are kept in float32: a narrow Gaussian feels the rounding of the grid
    allowed = 1e-5 + 8 * torch.finfo(torch.float32).eps * imager.im_range[3].item() / imager.bandwidth.item()
    return [] if difference < allowed else [f'the image differs from gudhi by {difference:.3g} of its maximum']


def _range_of(diagrams: Tensor) -> DiagramRange:
    found = DiagramRange()
    found.update(diagrams)
    return found


def _gradient(case: Case) -> list[str]:
    """Check that moving a cloud changes nothing, and that stretching it stretches every death."""
    points = case.points.clone().requires_grad_()
    total = rips_h0(points).sum()
    total.backward()
    assert points.grad is not None
    gradient = points.grad.double()[0]
    if not gradient.isfinite().all():
        return ['the gradient is not finite']
    rounding = 2e-3 if case.points.dtype == torch.float16 else 1e-4
    if gradient.sum(dim=0).abs().max() > rounding * len(gradient):
        return ['the gradient moves the cloud']
    # a sum of lengths is homogeneous of degree 1 (Euler): <gradient, points> is itself
    stretched, expected = (gradient * torch.from_numpy(case.exact)).sum().item(), total.double().item() / case.scale
    size = np.abs(case.exact).max() * case.exact.size
    return [] if abs(stretched - expected) <= rounding * (size + expected) else ['the gradient breaks a law of Euler']


def _refusals(case: Case, choose: random.Random) -> list[str]:
    """Check that what is no cloud is refused by a sentence."""
    name = choose.choice(list(WRONG))
    wrong = WRONG[name](case.points)
    for function in (rips_h0, rips_diagrams):
        try:
            function(wrong)
        except (TypeError, ValueError) as error:
            if len(str(error).split()) < 6:
                return [f'{function.__name__} says of {name} only: {error}']
        except Exception as error:
            return [f'{function.__name__} fails on {name}: {type(error).__name__}: {error}']
        else:
            return [f'{function.__name__} takes {name}']
    return []


def _with(points: Tensor, value: float) -> Tensor:
    points = points.clone()
    points[0, -1, 0] = value
    return points


def _circle(draw: np.random.Generator, n: int, d: int, even: bool) -> np.ndarray:
    angles = np.arange(n) * 2 * np.pi / n if even else draw.uniform(0, 2 * np.pi, n)
    points = np.zeros((n, max(d, 2)))
    points[:, 0], points[:, 1] = np.cos(angles), np.sin(angles)
    return points[:, :d]
