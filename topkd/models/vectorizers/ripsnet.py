"""RipsNet: a small network that approximates the persistence image of a cloud."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from topkd.artifacts.artifact import OPERATORS, RipsNetArtifact
from topkd.models.vectorizers.ripsnet_file import load_ripsnet_file
from topkd.models.vectorizers.vectorizer import Vectorizer
from topkd.registry import MODELS
from topkd.utils.checks import choice, whole, wholes

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

    Example:
        >>> units_for(64), units_for(100)
        ((64, 32, 32), (64, 32, 32))

    Source: Tables 14, 15, 18 and 19.
    """
    return UNITS[max((width for width in UNITS if width <= in_channels), default=16)]


@MODELS.register_module()
class RipsNet(Vectorizer):
    r"""Approximate the persistence image of a cloud by a DeepSets network.

    .. math:: \mathrm{RipsNet}(X) = \phi_2(\mathrm{op}_{x \in X}\, \phi_1(x))

    with three linear layers with bias and ReLU before the operator, and four linear layers without bias after it
    (50, 100, 200 and P units; ReLU, ReLU, ReLU, sigmoid).

    Args:
        in_channels (int, optional): Width of the points, d. None: read from ``checkpoint``, or from the artifact that
            the network is bound to.
        operator (str): ``'mean'`` or ``'sum'`` over the points. Defaults to 'mean'.
        units (Sequence[int], optional): Widths of the per-point layers. None: :func:`units_for`.
        homology_dims (Sequence[int]): Dimensions of the images that it stands for. Defaults to (0, ).
        resolution (Sequence[int]): Resolution of those images; P is its product. Defaults to (20, 20).
        checkpoint (str, optional): A file written by ``tools/train_ripsnet.py`` or ``tools/convert_checkpoint.py``.
            It decides ``in_channels``, ``operator`` and ``units``; the other arguments must agree with it.

    Example:
        >>> import torch
        >>> RipsNet(in_channels=64, operator='sum')(torch.randn(2, 128, 64)).shape
        torch.Size([2, 400])

    Source: Section 4.1; constants from Appendix B.
    """

    learned = True

    def __init__(
        self,
        in_channels: int | None = None,
        operator: str = 'mean',
        units: Sequence[int] | None = None,
        homology_dims: Sequence[int] = (0,),
        resolution: Sequence[int] = (20, 20),
        checkpoint: str | None = None,
    ) -> None:
        super().__init__(homology_dims, resolution)
        self.operator = choice("RipsNet's operator", operator, OPERATORS)
        self.in_channels: int | None = None
        # what the file says of its images and of the clouds it was trained on; nothing for a fresh network
        self.spec: dict | None = None
        self.source: dict = {}
        self.point_layers = nn.ModuleList()
        self.image_layers = nn.ModuleList()
        if checkpoint is not None:
            self.checkpoint = Path(checkpoint)
            self._load(load_ripsnet_file(checkpoint, in_channels, self.homology_dims, self.resolution))
        elif in_channels is not None:
            self._make_layers(in_channels, units)

    @property
    def needs_artifact(self) -> bool:
        """bool: Whether its weights have to be read first."""
        return self.in_channels is None

    @property
    def capturable(self) -> bool:
        """bool: True; it is a network like any other."""
        return True

    def bind(self, artifact: RipsNetArtifact, teacher_fingerprint: str, width: int) -> None:
        """Load the artifact's network unless there is one already, and refuse one that was trained on other clouds.

        Args:
            artifact (RipsNetArtifact): Of the teacher and the loss's clouds.
            teacher_fingerprint (str): Of the teacher's weights.
            width (int): Of the teacher's points, d.

        Raises:
            FileNotFoundError: If the artifact holds no RipsNet; the message says how to make it.
            ValueError: If the network was trained on other clouds: of another teacher, tap, size, width or
                normalization.
        """
        if self.needs_artifact:
            self._load(load_ripsnet_file(str(artifact.ripsnet), None, self.homology_dims, self.resolution))
        if self.in_channels != width:
            raise ValueError(
                f"RipsNet was trained on points of width {self.in_channels}, the teacher's tap "
                f"'{artifact.request['tap']}' has {width}: train a RipsNet for this teacher and tap (tools/gen_pi.py, "
                'then tools/train_ripsnet.py)'
            )
        made_of = self.source.get('teacher_fingerprint', teacher_fingerprint)
        if made_of != teacher_fingerprint:
            raise ValueError(
                f"its RipsNet was trained on the clouds of teacher '{self.source.get('teacher')}' ({made_of}), this "
                'teacher is '
                f"'{artifact.teacher}' ({teacher_fingerprint}): run tools/gen_pi.py and tools/train_ripsnet.py for it"
            )
        for name, value in artifact.request.items():
            if value is not None and self.source.get(name, value) != value:
                raise ValueError(
                    f'RipsNet was trained on clouds with {name} {self.source[name]!r}, the config asks for {value!r}: '
                    f'set it to {self.source[name]!r}, or train a RipsNet for this config (tools/gen_pi.py, then '
                    'tools/train_ripsnet.py)'
                )

    def _load(self, file: dict) -> None:
        self.operator, self.spec, self.source = file['operator'], file.get('spec'), file.get('source') or {}
        self.num_points = self.source.get('num_points')
        self._make_layers(file['in_channels'], file['units'])
        self.load_state_dict(file['state_dict'], strict=True)

    def _make_layers(self, in_channels: int, units: Sequence[int] | None) -> None:
        self.in_channels = whole('in_channels', in_channels, at_least=1)
        self.units = units_for(self.in_channels) if units is None else wholes('units', units, count=3, at_least=1)
        pixels = self.resolution[0] * self.resolution[1]
        point_widths = (self.in_channels, *self.units)
        image_widths = (self.units[-1], 50, 100, 200, pixels)
        self.point_layers.extend(nn.Linear(*pair) for pair in zip(point_widths, point_widths[1:]))
        self.image_layers.extend(nn.Linear(*pair, bias=False) for pair in zip(image_widths, image_widths[1:]))

    def forward(self, points: Tensor) -> Tensor:
        """Approximate the images of clouds.

        Args:
            points (Tensor): (B, n, d).

        Returns:
            Tensor: Images (B, P) in (0, 1).

        Raises:
            RuntimeError: If the network has neither a width nor an artifact yet.
            ValueError: If the points are not of width ``in_channels``.
        """
        if self.needs_artifact:
            raise RuntimeError(
                'RipsNet has no layers yet: give it in_channels or a checkpoint, or bind it to an artifact'
            )
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
