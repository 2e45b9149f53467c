"""The point clouds on which libraries of persistent homology show what they do: circles, annuli, tori, blobs."""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def two_circles(n: int, generator: np.random.Generator) -> np.ndarray:
    """Draw points of two nested circles with noise."""
    angles, radii = 2 * np.pi * generator.random(n), np.where(np.arange(n) % 2, 1.0, 0.5)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1) + 0.03 * generator.normal(size=(n, 2))


def annulus(n: int, generator: np.random.Generator) -> np.ndarray:
    """Draw points of an annulus, uniformly."""
    angles, radii = 2 * np.pi * generator.random(n), np.sqrt(generator.uniform(0.25, 1, n))
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def torus(n: int, generator: np.random.Generator) -> np.ndarray:
    """Draw points of a torus in space."""
    around, along = 2 * np.pi * generator.random((2, n))
    radii = 2 + np.cos(around)
    return np.stack([radii * np.cos(along), radii * np.sin(along), np.sin(around)], axis=1)


def two_blobs(n: int, generator: np.random.Generator) -> np.ndarray:
    """Draw points of two Gaussians far apart."""
    return generator.normal(size=(n, 2)) + 8 * (np.arange(n) % 2)[:, None]


SETS = {'two circles': two_circles, 'annulus': annulus, 'torus': torus, 'two blobs': two_blobs}


def batches(draw: Callable, count: int, n: int, different: int = 3) -> Callable[[], Tensor]:
    """Return a function that hands out different batches (count, n, d) in turn, float32."""
    generator = np.random.default_rng(0)
    drawn = [np.stack([draw(n, generator) for _ in range(count)]) for _ in range(different)]
    return itertools.cycle([torch.from_numpy(batch).float() for batch in drawn]).__next__
