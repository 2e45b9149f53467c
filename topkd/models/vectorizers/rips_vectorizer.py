"""The base of vectorizers that compute the exact diagrams of clouds and fit their representation to the teacher's."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from mmengine.dist import all_gather
from torch import Tensor

from topkd.models.vectorizers.vectorizer import Vectorizer
from topkd.topology import as_diagrams, rips_diagrams, rips_h0
from topkd.utils.checks import whole
from topkd.utils.resumable import Resumable


class Representation(Protocol):
    """What turns diagrams into vectors, once it was fitted to some.

    Example:
        >>> from topkd.topology import PersistenceLandscape
        >>> representation: Representation = PersistenceLandscape(resolution=10)
        >>> representation([torch.zeros(0, 2)]) if representation.fitted else 'fit it first'
        'fit it first'
    """

    fitted: Tensor

    def __call__(self, diagrams: Any) -> Tensor:
        """Return the vectors of diagrams."""

    def fit(self, diagrams: Any) -> Any:
        """Fit the range to diagrams."""

    def share_outside(self, diagrams: Any) -> float:
        """Return the share of the diagrams' points that lie outside the range."""


class RipsVectorizer(Vectorizer, Resumable):
    """Compute vectors of the exact diagrams of clouds, with gradient.

    The representation is fitted on the fly: during the first ``fit_batches`` training steps every batch of teacher
    clouds widens it, after that it is fixed. It is part of the state dict, and until it is fixed a checkpoint holds
    the diagrams seen, so a resumed training goes on with the same vectors. A subclass says which one it is, and keeps
    it as a submodule.

    Args:
        homology_dims (Sequence[int]): (0, ), (1, ) or (0, 1). Defaults to (0, ).
        resolution (Sequence[int]): Columns and rows of a vector seen as a picture; P is their product.
        fit_batches (int): Batches of teacher clouds to fit on; 0 if the representation is given. Defaults to 50.

    Example:
        >>> from topkd.models import RipsLandscape
        >>> isinstance(RipsLandscape(), RipsVectorizer)
        True
    """

    fitted_batches: Tensor

    def __init__(
        self, homology_dims: Sequence[int] = (0,), resolution: Sequence[int] = (20, 20), fit_batches: int = 50
    ) -> None:
        super().__init__(homology_dims, resolution)
        rips_diagrams(torch.zeros(1, 2, 1), self.homology_dims)  # refuses unknown dimensions now, not in the first step
        self.fit_batches = whole('fit_batches', fit_batches, at_least=0)
        self.register_buffer('fitted_batches', torch.zeros((), dtype=torch.long))
        self._seen: list[Tensor] = []
        self._fitting = True  # asked before the buffer, which costs a synchronization on a GPU

    @property
    def representation(self) -> Representation:
        """Representation: The submodule that turns diagrams into vectors."""
        raise NotImplementedError

    @property
    def capturable(self) -> bool:
        """bool: Whether the representation is fixed; diagrams of dimension 1 are made on the host, always."""
        return not self._fitting and self.homology_dims == (0,)

    def forward(self, points: Tensor) -> Tensor:
        """Compute the vectors of clouds (B, n, d) -> (B, P)."""
        if self.homology_dims == (0,):
            return self.representation(as_diagrams(rips_h0(points)))
        return self.representation(rips_diagrams(points, self.homology_dims))

    @torch.no_grad()
    def observe(self, points: Tensor) -> None:
        """Widen the range by a batch of teacher clouds, until ``fit_batches`` batches were seen.

        Args:
            points (Tensor): Teacher's clouds (B, n, d).
        """
        if not self._fitting:
            return
        self._fitting = bool(self.fitted_batches < self.fit_batches)
        if not self._fitting:
            self._seen.clear()
            return
        # ranks see different clouds, but must compare vectors of the same range
        self._seen += rips_diagrams(torch.cat(all_gather(points.contiguous())), self.homology_dims)
        self.representation.fit(self._seen)
        self.fitted_batches += 1

    def progress(self) -> dict[str, Any]:
        """Return the teacher's diagrams seen so far, as long as the representation is fitted to them."""
        return dict(seen=[diagram.cpu() for diagram in self._seen])

    def go_on(self, progress: dict[str, Any]) -> None:
        """Widen the range from there on."""
        self._seen = [diagram.to(self.fitted_batches.device) for diagram in progress['seen']]

    def diagnostics(self, points: Tensor) -> dict[str, float]:
        """Return the share of the diagrams' points that the vectors cannot see."""
        with torch.no_grad():
            return dict(outside=self.representation.share_outside(rips_diagrams(points, self.homology_dims)))
