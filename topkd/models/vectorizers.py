"""Point clouds to persistence images: exact (RipsImage) or learned (RipsNet), behind one interface."""

from collections.abc import Sequence

import torch
from mmengine.dist import all_gather
from torch import Tensor, nn

from topkd.models.ripsnet_file import load_ripsnet_file
from topkd.registry import MODELS
from topkd.topology import PersistenceImager, rips_diagrams, rips_h0

OPERATORS = ('mean', 'sum')
# widths of the three per-point layers by width of the points (Tables 14, 15, 18 and 19)
UNITS = {
    16: (16, 16, 16),
    32: (32, 16, 16),
    64: (64, 32, 32),
    128: (128, 64, 64),
    256: (256, 128, 128),
    512: (512, 256, 256),
    1024: (512, 256, 256),
    2048: (1024, 512, 256),
}


def units_for(in_channels: int) -> tuple[int, int, int]:
    """Return the widths of RipsNet's per-point layers for points of width d.

    Widths that the paper does not use take the row of the next smaller width that it does.

    Args:
        in_channels (int): d.

    Returns:
        tuple: Three widths.

    Source: Tables 14, 15, 18 and 19.
    """
    return UNITS[max((width for width in UNITS if width <= in_channels), default=16)]


@MODELS.register_module()
class RipsNet(nn.Module):
    r"""Approximate the persistence image of a cloud by a DeepSets network.

    .. math:: \mathrm{RipsNet}(X) = \phi_2(\mathrm{op}_{x \in X}\, \phi_1(x))

    with three linear layers with bias and ReLU before the operator, and four linear layers without bias after it
    (50, 100, 200 and P units; ReLU, ReLU, ReLU, sigmoid).

    Args:
        in_channels (int, optional): Width of the points, d. None: read from ``checkpoint``.
        operator (str): ``'mean'`` or ``'sum'`` over the points. Defaults to 'mean'.
        units (Sequence[int], optional): Widths of the per-point layers. None: :func:`units_for`.
        homology_dims (Sequence[int]): Dimensions of the images that it stands for. Defaults to (0, ).
        resolution (Sequence[int]): Resolution of those images; P is its product. Defaults to (20, 20).
        checkpoint (str, optional): A file written by ``tools/train_ripsnet.py`` or ``tools/convert_checkpoint.py``.
            It decides ``in_channels``, ``operator`` and ``units``; the other arguments must agree with it.

    Source: Section 4.1; constants from Appendix B.
    """

    def __init__(
        self,
        in_channels: int | None = None,
        operator: str = 'mean',
        units: Sequence[int] | None = None,
        homology_dims: Sequence[int] = (0,),
        resolution: Sequence[int] = (20, 20),
        checkpoint: str | None = None,
    ) -> None:
        super().__init__()
        file = None
        if checkpoint is not None:
            file = load_ripsnet_file(checkpoint, in_channels, homology_dims, resolution)
            in_channels, operator, units = file['in_channels'], file['operator'], file['units']
        if in_channels is None:
            raise ValueError('RipsNet needs in_channels (the width of the points) or a checkpoint, got neither')
        if operator not in OPERATORS:
            raise ValueError(f"RipsNet's operator must be 'mean' or 'sum', got '{operator}'")
        self.in_channels = int(in_channels)
        self.operator = operator
        self.units = tuple(units or units_for(self.in_channels))
        self.homology_dims = tuple(homology_dims)
        self.resolution = tuple(resolution)
        # what the file says of its images and of the clouds it was trained on; None for a fresh network
        self.spec: dict | None = file and file.get('spec')
        self.source: dict = (file or {}).get('source') or {}
        pixels = self.resolution[0] * self.resolution[1]
        point_widths = (self.in_channels, *self.units)
        image_widths = (self.units[-1], 50, 100, 200, pixels)
        self.point_layers = nn.ModuleList(nn.Linear(*pair) for pair in zip(point_widths, point_widths[1:]))
        self.image_layers = nn.ModuleList(nn.Linear(*pair, bias=False) for pair in zip(image_widths, image_widths[1:]))
        if file is not None:
            self.load_state_dict(file['state_dict'], strict=True)

    def forward(self, points: Tensor) -> Tensor:
        """Approximate the images of clouds.

        Args:
            points (Tensor): (B, n, d).

        Returns:
            Tensor: Images (B, P) in (0, 1).

        Raises:
            ValueError: If the points are not of width ``in_channels``.
        """
        if points.ndim != 3 or points.shape[2] != self.in_channels:
            raise ValueError(
                f'RipsNet expects clouds (B, n, {self.in_channels}), got {tuple(points.shape)}: '
                'train a RipsNet on these clouds (tools/gen_pi.py, then tools/train_ripsnet.py)'
            )
        hidden = points
        for layer in self.point_layers:
            hidden = layer(hidden).relu()
        hidden = hidden.mean(dim=1) if self.operator == 'mean' else hidden.sum(dim=1)
        for layer in self.image_layers[:-1]:
            hidden = layer(hidden).relu()
        return self.image_layers[-1](hidden).sigmoid()

    def to_file(self, spec: dict | None = None, source: dict | None = None) -> dict:
        """Return everything that :func:`load_ripsnet_file` needs, as plain values and tensors.

        Args:
            spec (dict, optional): :meth:`PersistenceImager.spec` of the images it was trained on.
            source (dict, optional): Where its clouds came from: teacher, tap, num_points and so on.
        """
        return dict(
            state_dict={name: tensor.detach().cpu().clone() for name, tensor in self.state_dict().items()},
            in_channels=self.in_channels,
            operator=self.operator,
            units=list(self.units),
            homology_dims=list(self.homology_dims),
            resolution=list(self.resolution),
            spec=spec,
            source=source,
        )


@MODELS.register_module()
class RipsImage(nn.Module):
    """Compute the persistence images of clouds exactly, with gradient.

    The images' spec (bandwidth, range, scale) comes from a file, or is fitted on the fly: during the first
    ``fit_batches`` training steps every batch of teacher clouds widens it, after that it is fixed. The spec is part
    of the state dict, so a resumed training goes on with the same images.

    Args:
        homology_dims (Sequence[int]): (0, ), (1, ) or (0, 1). Defaults to (0, ).
        resolution (Sequence[int]): Columns (birth) and rows (persistence); (1, P) leaves out the identical columns of
            dimension 0. Defaults to (20, 20).
        spec (dict | str, optional): :meth:`PersistenceImager.spec`, or a RipsNet file that holds one.
        fit_batches (int): Batches of teacher clouds to fit on where no spec is given. Defaults to 50.

    Source: Section 3.2; Equation 3 with the exact image in RipsNet's place.
    """

    def __init__(
        self,
        homology_dims: Sequence[int] = (0,),
        resolution: Sequence[int] = (20, 20),
        spec: dict | str | None = None,
        fit_batches: int = 50,
    ) -> None:
        super().__init__()
        self.homology_dims = tuple(homology_dims)
        self.resolution = tuple(resolution)
        rips_diagrams(torch.zeros(1, 2, 1), self.homology_dims)  # refuses unknown dimensions now, not in the first step
        if isinstance(spec, str):
            spec = load_ripsnet_file(spec, None, homology_dims, resolution).get('spec')
        self.imager = PersistenceImager(self.resolution)
        self.fit_batches = 0 if spec is not None else fit_batches
        if spec is not None:
            self.imager.load_spec(spec)
        self.register_buffer('fitted_batches', torch.zeros((), dtype=torch.long))
        self._seen: list[Tensor] = []
        self._fitting = True  # asked before the buffer, which costs a synchronization on a GPU

    def forward(self, points: Tensor) -> Tensor:
        """Compute the images of clouds (B, n, d) -> (B, P)."""
        if self.homology_dims == (0,):
            return self.imager.images_from_deaths(rips_h0(points))
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

    def diagnostics(self, points: Tensor) -> dict[str, float]:
        """Return the share of the diagrams' points that the images cannot see."""
        with torch.no_grad():
            return dict(outside=self.imager.share_outside(rips_diagrams(points, self.homology_dims)))
