"""The base of all vectorizers: what turns point clouds into persistence images, landscapes or learned vectors."""

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.utils.checks import wholes


class Vectorizer(nn.Module):
    """Turn point clouds (B, n, d) into persistence images (B, P).

    Args:
        homology_dims (Sequence[int]): Dimensions of the images.
        resolution (Sequence[int]): Columns (birth) and rows (persistence); P is their product.

    Example:
        >>> Vectorizer(homology_dims=(0, 1)).request()
        {'homology_dims': [0, 1], 'resolution': [20, 20]}
    """

    # whether the images come from weights that were trained for one kind of cloud, and that nobody trains further
    learned = False
    # file that a vectorizer was told to use; None for the one that the loss's clouds are filed under
    checkpoint: Path | None = None
    # points of the clouds that it was trained on; None for any
    num_points: int | None = None

    def __init__(self, homology_dims: Sequence[int] = (0,), resolution: Sequence[int] = (20, 20)) -> None:
        super().__init__()
        self.homology_dims = wholes('homology_dims', homology_dims, at_least=0)
        columns, rows = wholes('resolution', resolution, count=2, at_least=1)
        self.resolution: tuple[int, int] = (columns, rows)

    @property
    def needs_artifact(self) -> bool:
        """bool: Whether it cannot work before it has read what was fitted to a teacher's clouds."""
        return False

    @property
    def capturable(self) -> bool:
        """bool: Whether a CUDA graph can hold how images are made: alike from now on, all on the device."""
        return False

    def bind(self, artifact: RipsNetArtifact, teacher_fingerprint: str, width: int) -> None:
        """Read what was fitted for these clouds, and refuse what was fitted for others.

        Args:
            artifact (RipsNetArtifact): Of the teacher and the loss's clouds.
            teacher_fingerprint (str): Of the teacher's weights.
            width (int): Of the teacher's points, d.
        """

    def observe(self, points: Tensor) -> None:
        """See a training batch of the teacher's clouds (B, n, d); for images that are fitted during the training."""

    def diagnostics(self, points: Tensor) -> dict[str, float]:
        """Return figures of clouds (B, n, d) worth a line in the log."""
        return {}

    def request(self) -> dict[str, list[int]]:
        """Return what an artifact must record of its images: ``homology_dims`` and ``resolution``."""
        return dict(homology_dims=list(self.homology_dims), resolution=list(self.resolution))
