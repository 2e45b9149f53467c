"""RipsImage: the exact persistence image of a cloud, with gradient."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dist import all_gather
from torch import Tensor

from topkd.models.vectorizers.ripsnet_file import load_ripsnet_file
from topkd.models.vectorizers.vectorizer import Vectorizer
from topkd.registry import MODELS
from topkd.topology import PersistenceImager, rips_diagrams
from topkd.utils.checks import whole
from topkd.utils.resumable import Resumable


@MODELS.register_module()
class RipsImage(Vectorizer, Resumable):
    """Compute the persistence images of clouds exactly, with gradient.

    The images' spec (bandwidth, range, scale) comes from a file, or is fitted on the fly: during the first
    ``fit_batches`` training steps every batch of teacher clouds widens it, after that it is fixed. The spec is part
    of the state dict, and until it is fixed a checkpoint holds the diagrams seen, so a resumed training goes on with
    the same images.

    Args:
        homology_dims (Sequence[int]): (0, ), (1, ) or (0, 1). Defaults to (0, ).
        resolution (Sequence[int]): Columns (birth) and rows (persistence); (1, P) leaves out the identical columns of
            dimension 0. Defaults to (20, 20).
        spec (dict | str, optional): :meth:`PersistenceImager.spec`, or a RipsNet file that holds one.
        fit_batches (int): Batches of teacher clouds to fit on where no spec is given. Defaults to 50.

    Example:
        >>> vectorizer = RipsImage(resolution=(1, 20), fit_batches=1)
        >>> clouds = torch.randn(4, 64, 16)
        >>> vectorizer.observe(clouds)
        >>> vectorizer(clouds).shape, vectorizer.diagnostics(clouds)
        (torch.Size([4, 20]), {'outside': 0.0})

    Source: Section 3.2; Equation 3 with the exact image in RipsNet's place.
    """

    fitted_batches: Tensor

    def __init__(
        self,
        homology_dims: Sequence[int] = (0,),
        resolution: Sequence[int] = (20, 20),
        spec: dict | str | None = None,
        fit_batches: int = 50,
    ) -> None:
        super().__init__(homology_dims, resolution)
        rips_diagrams(torch.zeros(1, 2, 1), self.homology_dims)  # refuses unknown dimensions now, not in the first step
        if isinstance(spec, str):
            path, spec = spec, load_ripsnet_file(spec, None, homology_dims, resolution).get('spec')
            if spec is None:
                raise ValueError(
                    f"spec must be a RipsNet file that knows its images, '{path}' does not (it was converted): "
                    'name one that tools/train_ripsnet.py wrote, or leave spec out, so that it is fitted'
                )
        self.imager = PersistenceImager(self.resolution)
        self.fit_batches = 0 if spec is not None else whole('fit_batches', fit_batches, at_least=1)
        if spec is not None:
            self.imager.load_spec(spec)
        self.register_buffer('fitted_batches', torch.zeros((), dtype=torch.long))
        self._seen: list[Tensor] = []
        self._fitting = True  # asked before the buffer, which costs a synchronization on a GPU

    @property
    def static(self) -> bool:
        """bool: Whether the spec is fixed; images of dimension 1 are made on the host, always."""
        return not self._fitting and self.homology_dims == (0,)

    def forward(self, points: Tensor) -> Tensor:
        """Compute the images of clouds (B, n, d) -> (B, P)."""
        if self.homology_dims == (0,):
            return self.imager.images_from_clouds(points)
        return self.imager(rips_diagrams(points, self.homology_dims))

    @torch.no_grad()
    def observe(self, points: Tensor) -> None:
        """Widen the spec by a batch of teacher clouds, until ``fit_batches`` batches were seen.

        Args:
            points (Tensor): Teacher's clouds (B, n, d).
        """
        if not self._fitting:
            return
        self._fitting = bool(self.fitted_batches < self.fit_batches)
        if not self._fitting:
            self._seen.clear()
            return
        # ranks see different clouds, but must compare images of the same spec
        self._seen += rips_diagrams(torch.cat(all_gather(points.contiguous())), self.homology_dims)
        self.imager.fit(self._seen)
        self.fitted_batches += 1

    def progress(self) -> dict[str, Any]:
        """Return the teacher's diagrams seen so far, as long as the spec is fitted to them."""
        return dict(seen=[diagram.cpu() for diagram in self._seen])

    def go_on(self, progress: dict[str, Any]) -> None:
        """Widen the spec from there on."""
        self._seen = [diagram.to(self.fitted_batches.device) for diagram in progress['seen']]

    def diagnostics(self, points: Tensor) -> dict[str, float]:
        """Return the share of the diagrams' points that the images cannot see."""
        with torch.no_grad():
            return dict(outside=self.imager.share_outside(rips_diagrams(points, self.homology_dims)))
