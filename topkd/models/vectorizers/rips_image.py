"""RipsImage: the exact persistence image of a cloud, with gradient."""

from collections.abc import Sequence

from torch import Tensor

from topkd.models.vectorizers.rips_vectorizer import RipsVectorizer
from topkd.models.vectorizers.ripsnet_file import load_ripsnet_file
from topkd.registry import MODELS
from topkd.topology import PersistenceImager
from topkd.utils.checks import whole


@MODELS.register_module()
class RipsImage(RipsVectorizer):
    """Compute the persistence images of clouds exactly, with gradient.

    In dimension 0 clouds become images by :meth:`topkd.topology.PersistenceImager.images_from_clouds`, on a CPU in one
    step without diagrams; in other dimensions by way of their diagrams.

    The images' spec (bandwidth, range, scale) comes from a file, or is fitted on the fly, see :class:`RipsVectorizer`.

    Args:
        homology_dims (Sequence[int]): (0, ), (1, ) or (0, 1). Defaults to (0, ).
        resolution (Sequence[int]): Columns (birth) and rows (persistence); (1, P) leaves out the identical columns of
            dimension 0. Defaults to (20, 20).
        spec (dict | str, optional): :meth:`PersistenceImager.spec`, or a RipsNet file that holds one.
        fit_batches (int): Batches of teacher clouds to fit on where no spec is given. Defaults to 50.

    Example:
        >>> import torch
        >>> vectorizer = RipsImage(resolution=(1, 20), fit_batches=1)
        >>> clouds = torch.randn(4, 64, 16)
        >>> vectorizer.observe(clouds)
        >>> vectorizer(clouds).shape, vectorizer.diagnostics(clouds)
        (torch.Size([4, 20]), {'outside': 0.0})

    Source: Section 3.2; Equation 3 with the exact image in RipsNet's place.
    """

    def __init__(
        self,
        homology_dims: Sequence[int] = (0,),
        resolution: Sequence[int] = (20, 20),
        spec: dict | str | None = None,
        fit_batches: int = 50,
    ) -> None:
        fit_batches = whole('fit_batches', fit_batches, at_least=1) if spec is None else 0
        super().__init__(homology_dims, resolution, fit_batches)
        if isinstance(spec, str):
            path, spec = spec, load_ripsnet_file(spec, None, homology_dims, resolution).get('spec')
            if spec is None:
                raise ValueError(
                    f"spec must be a RipsNet file that knows its images, '{path}' does not (it was converted): "
                    'name one that tools/train_ripsnet.py wrote, or leave spec out, so that it is fitted'
                )
        self.imager = PersistenceImager(self.resolution)
        if spec is not None:
            self.imager.load_spec(spec)

    @property
    def representation(self) -> PersistenceImager:
        """PersistenceImager: The images."""
        return self.imager

    def forward(self, points: Tensor) -> Tensor:
        """Compute the images of clouds (B, n, d) -> (B, P)."""
        return self.imager.images_from_clouds(points) if self.homology_dims == (0,) else super().forward(points)
