"""Figures that say how the topology of one network's clouds compares with that of the teacher's."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from topkd.analysis.bottleneck.distances import bottleneck_distances
from topkd.models.vectorizers import RipsImage, RipsNet
from topkd.topology import rips_h0


class CloudComparison(nn.Module):
    """Compare clouds with the teacher's clouds of the same images, in dimension 0.

    Args:
        ripsnet (str): File of a RipsNet with the spec of its images, made from this teacher's clouds.
        others (Mapping[str, str], optional): Files of other RipsNets of this teacher by name, to be judged too.

    Raises:
        FileNotFoundError: If there is no file.
        ValueError: If the file holds no spec.

    Example:
        A student that differs in scale alone; the file is that of an untrained network.

        >>> from topkd.topology import PersistenceImager, rips_diagrams
        >>> from topkd.utils.checkpoint import save_file
        >>> teacher = torch.rand(2, 16, 8)
        >>> imager = PersistenceImager((20, 20)).fit(rips_diagrams(teacher))
        >>> save_file(RipsNet(8).to_file(imager.spec()), 'ripsnet.pth')
        >>> found = CloudComparison('ripsnet.pth')(0.01 * teacher, teacher)
        >>> round(found['scale'], 4), found['seen'], round(found['bottleneck'], 4)
        (0.01, 0.0, 0.0)
    """

    def __init__(self, ripsnet: str, others: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.judged = Judged(ripsnet)
        self.exact = self.judged.exact
        self.others: Any = nn.ModuleDict({name: Judged(path) for name, path in (others or {}).items()})

    @torch.no_grad()
    def forward(self, clouds: Tensor, teacher: Tensor) -> dict[str, float]:
        r"""Compute all figures.

        Args:
            clouds (Tensor): (B, n, d), d being RipsNet's width.
            teacher (Tensor): The teacher's, alike.

        Returns:
            dict: ``seen``, the share of deaths inside the images' range; ``ripsnet_error``, the mean squared error of
            RipsNet's images; ``ripsnet_error_<name>``, that of each other one, in the unit of the first one's images;
            ``image_distance``, the mean squared error between exact images and the teacher's;
            ``bottleneck``, the mean bottleneck distance to the teacher's diagrams, each cloud divided by its mean
            distance; ``scale``, the mean distance of the clouds over that of the teacher's.
        """
        images = self.exact(clouds)
        errors = {
            f'ripsnet_error_{name}': other.error(clouds) * (other.scale / self.judged.scale) ** 2
            for name, other in self.others.items()
        }
        units = [torch.stack([torch.pdist(cloud).mean() for cloud in both]) for both in (clouds, teacher)]
        diagrams = [
            [np.column_stack((np.zeros(len(deaths)), deaths)) for deaths in _scale_free(both, unit)]
            for both, unit in zip((clouds, teacher), units)
        ]
        return dict(
            seen=1.0 - self.exact.diagnostics(clouds)['outside'],
            ripsnet_error=self.judged.error(clouds),
            **errors,
            image_distance=(images - self.exact(teacher)).square().mean().item(),
            bottleneck=float(np.mean(bottleneck_distances(*diagrams))),
            scale=(units[0] / units[1]).mean().item(),
        )


class Judged(nn.Module):
    """A RipsNet beside the exact image that it stands for.

    Args:
        path (str): Its file.

    Raises:
        ValueError: If the file holds no spec.

    Example:
        >>> from topkd.topology import PersistenceImager, rips_diagrams
        >>> from topkd.utils.checkpoint import save_file
        >>> clouds = torch.rand(2, 16, 8)
        >>> imager = PersistenceImager((20, 20)).fit(rips_diagrams(clouds))
        >>> save_file(RipsNet(8).to_file(imager.spec()), 'ripsnet.pth')
        >>> 0 < Judged('ripsnet.pth').error(clouds) < 1
        True
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.ripsnet = RipsNet(checkpoint=path).requires_grad_(False)
        if self.ripsnet.spec is None:
            raise ValueError(f"'{path}' does not say what its images are: make one by tools/train_ripsnet.py")
        self.exact = RipsImage(resolution=self.ripsnet.resolution, spec=self.ripsnet.spec)

    @property
    def scale(self) -> float:
        """float: What exact images are divided by."""
        return self.exact.imager.scale.item()

    def error(self, clouds: Tensor) -> float:
        """Return the mean squared error of RipsNet's images of clouds (B, n, d)."""
        return (self.ripsnet(clouds) - self.exact(clouds)).square().mean().item()


def _scale_free(clouds: Tensor, units: Tensor) -> np.ndarray:
    """Return the deaths (B, n - 1) of clouds divided by their mean distances."""
    tiny = torch.finfo(units.dtype).tiny
    return (rips_h0(clouds) / units.clamp_min(tiny)[:, None]).double().cpu().numpy()
