"""RipsPersLay: a PersLay vector of a cloud's exact diagram, with gradient."""

from collections.abc import Sequence

from topkd.models.vectorizers.rips_vectorizer import RipsVectorizer
from topkd.registry import MODELS
from topkd.topology import PersLay


@MODELS.register_module()
class RipsPersLay(RipsVectorizer):
    """Compute PersLay vectors of the exact diagrams of clouds, with gradient.

    The range of births and deaths is fitted on the fly, see :class:`RipsVectorizer`. As part of a loss between two
    networks the layer stays as it was drawn, which makes its vectors random features: a layer that is trained to bring
    student and teacher together learns to say the same of all clouds. ``trainable`` is for layers that another loss
    trains too.

    Args:
        homology_dims (Sequence[int]): (0, ), (1, ) or (0, 1). Defaults to (0, ).
        size (int): See :class:`topkd.topology.PersLay`. Defaults to 50.
        transformation (str): See there. Defaults to 'gaussian'.
        operator (str): See there. Defaults to 'sum'.
        power (float): See there. Defaults to 1.0.
        trainable (bool): Whether its parameters are trained. Defaults to False.
        fit_batches (int): Batches of teacher clouds to fit on. Defaults to 50.

    Example:
        >>> import torch
        >>> vectorizer = RipsPersLay(size=30, fit_batches=1)
        >>> clouds = torch.randn(4, 64, 16)
        >>> vectorizer.observe(clouds)
        >>> vectorizer(clouds).shape, any(parameter.requires_grad for parameter in vectorizer.parameters())
        (torch.Size([4, 30]), False)

    Source: beyond the paper.
    """

    def __init__(
        self,
        homology_dims: Sequence[int] = (0,),
        size: int = 50,
        transformation: str = 'gaussian',
        operator: str = 'sum',
        power: float = 1.0,
        trainable: bool = False,
        fit_batches: int = 50,
    ) -> None:
        perslay = PersLay(size, transformation, operator, power).requires_grad_(trainable)
        super().__init__(homology_dims, (perslay.size, 1), fit_batches)
        self.perslay = perslay

    @property
    def representation(self) -> PersLay:
        """PersLay: The layer."""
        return self.perslay
