"""RipsLandscape: the persistence landscape of a cloud, with gradient."""

from collections.abc import Sequence

from topkd.models.vectorizers.rips_vectorizer import RipsVectorizer
from topkd.registry import MODELS
from topkd.topology import PersistenceLandscape


@MODELS.register_module()
class RipsLandscape(RipsVectorizer):
    """Compute the persistence landscapes of clouds exactly, with gradient.

    Their range is fitted on the fly, see :class:`RipsVectorizer`; their values keep the unit of the points.

    Args:
        homology_dims (Sequence[int]): (0, ), (1, ) or (0, 1). Defaults to (0, ).
        num_landscapes (int): See :class:`topkd.topology.PersistenceLandscape`. Defaults to 5.
        resolution (int): See there. Defaults to 100.
        fit_batches (int): Batches of teacher clouds to fit on. Defaults to 50.

    Example:
        >>> import torch
        >>> vectorizer = RipsLandscape(num_landscapes=3, resolution=20, fit_batches=1)
        >>> clouds = torch.randn(4, 64, 16)
        >>> vectorizer.observe(clouds)
        >>> vectorizer(clouds).shape
        torch.Size([4, 60])

    Source: beyond the paper.
    """

    def __init__(
        self, homology_dims: Sequence[int] = (0,), num_landscapes: int = 5, resolution: int = 100, fit_batches: int = 50
    ) -> None:
        landscape = PersistenceLandscape(num_landscapes, resolution)
        super().__init__(homology_dims, (landscape.resolution, landscape.num_landscapes), fit_batches)
        self.landscape = landscape

    @property
    def representation(self) -> PersistenceLandscape:
        """PersistenceLandscape: The landscapes."""
        return self.landscape
