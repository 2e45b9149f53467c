"""Persistence images: diagrams to images of fixed size, differentiable."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from topkd.topology.diagram_range import DiagramRange, Diagrams, persistence_points
from topkd.topology.image_spec import ImageSpec
from topkd.topology.kernels.host_deaths import find_trees
from topkd.topology.kernels.host_images import bumps, images_of_deaths, images_of_trees
from topkd.topology.kernels.pairwise import checked_clouds
from topkd.topology.padding import pad_diagrams
from topkd.topology.rips import rips_h0

DIAGRAMS_AT_ONCE = 1024


class PersistenceImager(ImageSpec):
    r"""Turn persistence diagrams into persistence images.

    There are three entries, by what is at hand: :meth:`forward` takes diagrams, :meth:`images_from_deaths` the deaths
    of dimension 0, and :meth:`images_from_clouds` point clouds.

    A diagram's points (b, d) are moved to (b, p), p = d - b. The pixel at (x, y) is

    .. math:: \frac{1}{\mathrm{scale}} \sum_{(b, p)} \frac{10 (\tanh p + \ln(100 b + 1))}{2 \pi \sigma^2}
        \exp\Big(-\frac{(b - x)^2 + (p - y)^2}{2 \sigma^2}\Big)

    with x and y on even grids between the ends of ``im_range``, and sigma the ``bandwidth``. Images are flattened row
    by row; a row is a persistence y. Bandwidth, range and scale are fitted once, on training diagrams, and belong to
    the state dict: by :meth:`fit`, or in constant memory by :meth:`set_range`, given the range of all chunks of
    diagrams, and then :meth:`update_scale` on each chunk.

    Args:
        resolution (Sequence[int]): Number of birth columns and of persistence rows, as in gudhi. (1, P) has only the
            column of the lowest birth, which is all there is to see in dimension 0. Defaults to (20, 20).

    Attributes:
        bandwidth (Tensor): (). 0.2 quantile of the pairwise distances above 1e-5 among the first 200 points (b, p).
        im_range (Tensor): (4, ). Lowest and highest birth, lowest and highest persistence.
        scale (Tensor): (). The largest pixel of all images.

    Example:
        >>> from topkd.topology import rips_diagrams
        >>> diagrams = rips_diagrams(torch.randn(8, 64, 16), (0,))
        >>> images = PersistenceImager((1, 20)).fit(diagrams)(diagrams)
        >>> images.shape, round(float(images.max()), 4)
        (torch.Size([8, 20]), 1.0)

    Source: Section 3.1 and Appendix B; Adams et al., Persistence images, 2017; numerics of gudhi's PersistenceImage.
    """

    def __init__(self, resolution: Sequence[int] = (20, 20)) -> None:
        super().__init__(resolution)
        self._constants: tuple[Any, ...] = ()

    def forward(self, diagrams: Diagrams) -> Tensor:
        """Compute the images of diagrams, in float32 (float64 for float64 diagrams), with gradient.

        Args:
            diagrams (list | Tensor): B diagrams (m_i, 2) of (birth, death), or all in one tensor (B, m, 2). An empty
                diagram has an image of zeros.

        Returns:
            Tensor: Images (B, P), P = columns * rows.

        Raises:
            RuntimeError: If nothing was fitted.
            ValueError: If a diagram is not of shape (m, 2).
        """
        return self.raw(diagrams) / self.scale

    def raw(self, diagrams: Diagrams) -> Tensor:
        """Compute images that are not divided by the scale; otherwise as :meth:`forward`."""
        self._check_fitted()
        # the points that fill a diagram up have weight 0
        diagrams = pad_diagrams(diagrams).points.to(self.scale.device)
        with torch.autocast(diagrams.device.type, enabled=False):
            births, deaths = diagrams.unbind(2)
            persistences = deaths - births
            weights = persistences.tanh() + (100 * births).log1p()
            # the Gaussian is a product, so an image is the product of a (rows, m) and an (m, columns) matrix;
            # in double precision, because a product of single precision may be told to round to TF32 or bfloat16
            rows, columns = self._bumps(persistences, axis=1) * weights.unsqueeze(2), self._bumps(births, axis=0)
            images = (rows.double().mT @ columns.double()).flatten(1).to(rows.dtype)
            return images * self._peak()

    def images_from_clouds(self, points: Tensor) -> Tensor:
        """Compute the images of clouds of dimension 0; on the CPU in one step from points to pixels and back.

        Args:
            points (Tensor): Clouds (B, n, d), n >= 2. Half precision is raised to float32; autocast has no effect.

        Returns:
            Tensor: Images (B, P), those of ``images_from_deaths(rips_h0(points))``.

        Raises:
            RuntimeError: If nothing was fitted.
            TypeError: If the points are no floating-point tensor.
            ValueError: If they are not of shape (B, n >= 2, d), or not finite (the first such cloud is named; on a GPU
                nobody looks).
        """
        self._check_fitted()
        points = checked_clouds(points)
        trees = find_trees(points)
        if trees is None:
            return self.images_from_deaths(rips_h0(points))
        return images_of_trees(points, trees, *self._host_constants())

    def images_from_deaths(self, deaths: Tensor) -> Tensor:
        """Compute the images of diagrams of dimension 0, all of whose births are 0, in fewer steps.

        Args:
            deaths (Tensor): (B, m).

        Returns:
            Tensor: Images (B, P), those of ``forward(as_diagrams(deaths))``.

        Raises:
            RuntimeError: If nothing was fitted.
        """
        self._check_fitted()
        deaths = deaths if deaths.dtype == torch.float64 else deaths.float()
        with torch.autocast(deaths.device.type, enabled=False):
            return images_of_deaths(deaths, self._grid(1), self._profile(), self._exponent())

    def _bumps(self, values: Tensor, axis: int) -> Tensor:
        return bumps(values, self._grid(axis), self._exponent())

    def _exponent(self) -> Tensor:
        return -0.5 / self.bandwidth.square()

    def _grid(self, axis: int) -> Tensor:
        low, high = self.im_range[2 * axis : 2 * axis + 2].unbind()
        return low + (high - low) * torch.linspace(0, 1, self.resolution[axis], device=low.device)

    def _peak(self) -> Tensor:
        return 10 / (2 * math.pi) / self.bandwidth.square()

    def _profile(self) -> Tensor:
        """Return the constant factor of every column for births 0 (columns, )."""
        return self._bumps(torch.zeros_like(self.scale), axis=0) * (self._peak() / self.scale)

    def _host_constants(self) -> tuple[Any, ...]:
        """Return rows, column factors and exponent as numpy arrays and a number, anew where a buffer was changed."""
        key = tuple((id(buffer), buffer._version) for buffer in (self.bandwidth, self.im_range, self.scale))
        if self._constants[:1] != (key,):
            exponent = -0.5 / self.bandwidth.item() ** 2
            self._constants = (key, self._grid(1).numpy(), self._profile().numpy(), exponent)
        return self._constants[1:]

    def fit(self, diagrams: Diagrams) -> 'PersistenceImager':
        """Fit bandwidth, range and scale to diagrams.

        Args:
            diagrams (list | Tensor): All diagrams (m_i, 2) of (birth, death), or one tensor (B, m, 2). Points of
                persistence 0 do not count, as gudhi's diagrams have none.

        Returns:
            PersistenceImager: Itself.

        Raises:
            ValueError: If fewer than two distinct points are found, or one is not finite.
        """
        return self.set_range(DiagramRange().update(diagrams)).update_scale(diagrams)

    def set_range(self, diagram_range: DiagramRange) -> 'PersistenceImager':
        """Set bandwidth and range from what was collected of all diagrams, and the scale to what is known of it, 0.

        Raises:
            ValueError: If fewer than two distinct points were collected.
        """
        self.load_spec(dict(bandwidth=diagram_range.bandwidth(), im_range=diagram_range.im_range, scale=1.0))
        self.scale.zero_()
        return self

    @torch.no_grad()
    def update_scale(self, diagrams: Diagrams) -> 'PersistenceImager':
        """Raise the scale to the largest pixel of a chunk of diagrams (shapes as in :meth:`fit`)."""
        for start in range(0, len(diagrams), DIAGRAMS_AT_ONCE):
            self.scale.copy_(torch.maximum(self.scale, self.raw(diagrams[start : start + DIAGRAMS_AT_ONCE]).max()))
        return self

    def share_outside(self, diagrams: Diagrams) -> float:
        """Return the share of all points whose birth or persistence lies outside ``im_range``; 0 of no points.

        Images see such points only by the tails of their Gaussians, and give them next to no gradient.

        Args:
            diagrams (list | Tensor): As in :meth:`forward`.

        Raises:
            RuntimeError: If nothing was fitted.
        """
        self._check_fitted()
        points = persistence_points(diagrams).detach().to(self.im_range.device)
        limits = self.im_range.view(2, 2)
        outside = ((points < limits[:, 0]) | (points > limits[:, 1])).any(dim=1)
        return outside.float().mean().item() if len(outside) else 0.0
