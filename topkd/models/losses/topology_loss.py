"""The topology loss: a distance between the persistence images of the student's and the teacher's clouds."""

import logging
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.nn import functional as F

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.models.build import build
from topkd.models.clouds import IncompleteCloudError, PointCloud
from topkd.models.frozen import Frozen
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, Taps
from topkd.models.taps.tap import as_list
from topkd.models.taps.tap_views import instead
from topkd.models.teacher import Teacher
from topkd.models.vectorizers import Vectorizer
from topkd.registry import MODELS
from topkd.topology import rips_h0, rtd_lite, signature_loss, sliced_wasserstein_h0, wasserstein_h0
from topkd.utils.checks import choice
from topkd.utils.tensors import add_up

UNSEEN = 3  # measurements in a row before the warning that images see nothing of the student


def _of_deaths(function: Callable) -> Callable:
    """Turn a distance of dimension-0 deaths into one of clouds, all of whose trees are found at once."""

    def distance(student: Tensor, teacher: Tensor) -> Tensor:
        return function(*rips_h0(torch.cat([student, teacher])).split([len(student), len(teacher)]))

    return distance


# distances (B, ) of clouds that need no images; the first two ask nothing of the order of the points
DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = dict(
    sorted_deaths=_of_deaths(wasserstein_h0),
    sliced_wasserstein=_of_deaths(sliced_wasserstein_h0),
    signature=signature_loss,
    rtd_lite=rtd_lite,
)


@MODELS.register_module()
class TopologyLoss(DistillationLoss):
    r"""Match the persistence images of the teacher's and the student's point clouds.

    .. math:: \mathrm{loss\_weight} \cdot \frac{1}{B P} \sum_{b, p}
        (V(\mathrm{cloud}(f_S))_{bp} - V(\mathrm{cloud}(f_T))_{bp})^2

    Both clouds hold the same images in the same order. V, the vectorizer, is RipsNet (frozen) or the exact image.
    Instead of images, ``distance`` compares the deaths or the trees of the clouds; its mean over clouds is the loss.
    Where the student's points have another width, a learned linear layer maps them to the teacher's, or, as distances
    between points ask for none, both clouds stay as they are. Everything is computed in full precision, under mixed
    precision too.

    Args:
        loss_weight (float): The paper's gamma. Defaults to 1.0.
        vectorizer (dict | nn.Module): ``dict(type='RipsNet')`` or ``dict(type='RipsImage')``.
        cloud (dict | nn.Module): ``dict(type='BatchCloud', num_points=64)`` or another of ``point_cloud.py``.
        distance (str): ``'images'``, the paper's; ``'sorted_deaths'`` or ``'sliced_wasserstein'``, between the
            dimension-0 diagrams; ``'signature'`` or ``'rtd_lite'``, which compare the same pairs of images in both
            clouds. See :mod:`topkd.topology.distances`; ``docs/losses.md`` says when to use which. Defaults to
            'images'.
        projection (str): What becomes of a student's points of another width. ``'auto'``: a linear layer maps them to
            the teacher's, ``'none'``: they are compared as they are, which RipsNet cannot. Defaults to 'auto'.
        student_tap (str | Sequence[str]): Where the student's features are read; of several taps the pooled points are
            averaged. Defaults to 'neck[0]', the classifier's input.
        teacher_tap (str | Sequence[str], optional): The same for the teacher. None: the student's. Defaults to None.

    Example:
        >>> cloud = dict(type='BatchCloud', num_points=32)
        >>> loss = TopologyLoss(loss_weight=3.0, cloud=cloud, distance='sorted_deaths')
        >>> features = torch.rand(64, 16)
        >>> loss.clouds(features, features)[0].shape, loss(features, features)
        (torch.Size([2, 32, 16]), tensor(0.))

    Source: Equations 3 and 4.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        vectorizer: dict | nn.Module = dict(type='RipsImage'),
        cloud: dict | nn.Module = dict(type='BatchCloud'),
        distance: str = 'images',
        projection: str = 'auto',
        student_tap: Taps = 'neck[0]',
        teacher_tap: Taps | None = None,
    ) -> None:
        super().__init__(student_tap, student_tap if teacher_tap is None else teacher_tap, loss_weight)
        self.distance = choice('distance', distance, ('images', *DISTANCES))
        self.cloud: PointCloud = build(cloud)
        self.vectorizer: Frozen[Vectorizer] | Vectorizer | None = None
        if distance == 'images':
            network: Vectorizer = build(vectorizer)
            # a learned vectorizer is a constant of the loss; an exact one holds its fitted spec, which belongs in
            # checkpoints
            self.vectorizer = Frozen(network) if network.learned else network
        self.auto_projection = choice('projection', projection, ('auto', 'none')) == 'auto'
        self.projection: nn.Linear | None = None
        tap = self.teacher_tap if isinstance(self.teacher_tap, str) else list(self.teacher_tap)
        of_images = {} if self.network is None else self.network.request()
        self._request = dict(tap=tap, **self.cloud.request(), **of_images)
        self._unseen = 0

    @property
    def network(self) -> Vectorizer | None:
        """Vectorizer | None: What makes the images, None for a loss that compares clouds by a distance."""
        return self.vectorizer.module if isinstance(self.vectorizer, Frozen) else self.vectorizer

    @property
    def homology_dims(self) -> tuple[int, ...]:
        """tuple[int, ...]: Of the images; (0, ) for a loss that compares clouds by a distance."""
        return (0,) if self.network is None else self.network.homology_dims

    def request(self) -> dict[str, Any]:
        """Return what an artifact must record of the teacher's clouds and images, as plain values.

        The tap is the config's, such as ``@pooled``: an artifact is filed before there is a network that knows names.
        """
        return dict(self._request)

    def artifact(self, teacher: str, batch_size: int | None = None) -> RipsNetArtifact:
        """Return the artifact of a teacher that belongs to these clouds and images.

        Args:
            teacher (str): Name of the teacher.
            batch_size (int, optional): Of the training; the size of a cloud that is the whole batch.

        Raises:
            ValueError: If the loss compares no images.
        """
        if self.network is None:
            raise ValueError(
                f"the loss compares clouds by '{self.distance}': it needs neither clouds nor RipsNet, train at once"
            )
        request = self.request()
        # a cloud that is the whole batch is filed under that, whatever the size of this training's batch
        ripsnet = self.network.checkpoint or RipsNetArtifact(teacher, request).ripsnet
        return RipsNetArtifact(teacher, dict(request, num_points=request['num_points'] or batch_size), ripsnet)

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make the projection if the widths differ, and bind the vectorizer to the teacher's clouds.

        Args:
            teacher (Teacher): Its name and fingerprint tell which RipsNet belongs to it.
            probe (Probe): (1, c, ...) of the student and (1, d, ...) of the teacher.

        Raises:
            FileNotFoundError: If there is no RipsNet for these clouds; the message says how to make it.
            ValueError: If the widths differ without a projection for RipsNet, or it was trained for other clouds.
        """
        student_width, width = _width(probe.student, self.student_tap), _width(probe.teacher, self.teacher_tap)
        if self.network is not None:
            self.network.bind(self.artifact(teacher.name), teacher.fingerprint, width)
            if self.network.learned:
                self.vectorizer = Frozen(self.network)  # freezes the layers that came with the binding
        if student_width == width:
            return
        if self.auto_projection:
            self.projection = nn.Linear(student_width, width)
        elif self.network is not None and self.network.learned:
            raise ValueError(
                f"RipsNet reads points of the teacher's width {width}, the student's have {student_width}: "
                "set projection='auto'"
            )

    def phase(self) -> Hashable | None:
        """Return (), or None as long as the images are fitted, and for clouds or images that need the host."""
        images = self.network is None or self.network.capturable
        return () if self.cloud.capturable and images else None

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss.

        Args:
            student_features (Tensor | Sequence[Tensor]): (N, c) or (N, c, H, W).
            teacher_features (Tensor | Sequence[Tensor]): (N, d) or (N, d, H', W'), of the same images.
            data_samples (Sequence, optional): For clouds that look at the annotations.

        Returns:
            Tensor: Scalar. 0, with a graph, where the batch makes no whole cloud and ``cloud.incomplete`` is 'skip'.
        """
        with torch.autocast(_first(student_features).device.type, enabled=False):
            try:
                student, teacher = self.clouds(student_features, teacher_features, data_samples)
            except IncompleteCloudError as error:
                if self.cloud.incomplete == 'error':
                    raise
                print_log(f'topology term skipped in this step: {error}', 'current')
                return self._zero(student_features)
            if self.vectorizer is None or self.network is None:
                return self.loss_weight * DISTANCES[self.distance](student, teacher).mean()
            _check_size(self.network, teacher)
            if self.training:
                self.network.observe(teacher)
            images = self.vectorizer(torch.cat([student, teacher]))
            return self.loss_weight * F.mse_loss(*images.split([len(student), len(teacher)]))

    @torch.no_grad()
    def diagnostics(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> dict[str, Any]:
        """Return the share of the student's deaths that an exact image cannot see, as ``outside``; warn if it is 1."""
        if self.network is None:
            return {}
        with torch.autocast(_first(student_features).device.type, enabled=False):
            try:
                found = self.network.diagnostics(self.clouds(student_features, teacher_features, data_samples)[0])
            except IncompleteCloudError:
                return {}
        self._warn_unseen(found.get('outside', 0.0))
        return found

    def _warn_unseen(self, outside: float) -> None:
        """Say once that the images see none of the student's deaths, in several measurements in a row."""
        self._unseen = self._unseen + 1 if outside >= 1 else 0
        if self._unseen == UNSEEN:
            print_log(
                f"all deaths of the student's clouds lay outside the range of the images in {UNSEEN} measurements in a "
                'row: images tell nothing of them and give no gradient; normalize the clouds '
                "(cloud.normalization='mean_distance'), or take a distance that knows no range "
                "(distance='sorted_deaths')",
                'current',
                logging.WARNING,
            )

    def clouds(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Turn both networks' features (see :meth:`forward`) into clouds (B, n, d) of one width."""
        student = self.cloud(student_features, self.projection, data_samples)
        teacher = self.cloud(teacher_features, data_samples=data_samples).detach()
        width = max(student.shape[2], teacher.shape[2])
        return _widened(student, width), _widened(teacher, width)

    def _zero(self, student_features: Features) -> Tensor:
        # DistributedDataParallel wants a gradient for every parameter in every step
        tensors = [*_levels(student_features), *([] if self.projection is None else self.projection.parameters())]
        return add_up(tensor.sum() * 0 for tensor in tensors)


def _check_size(network: Vectorizer, clouds: Tensor) -> None:
    """Refuse clouds of another size than RipsNet was trained on, which a whole batch shows only now."""
    trained = network.num_points
    if trained not in (None, clouds.shape[1]):
        raise ValueError(
            f'RipsNet was trained on clouds of {trained} points, got {clouds.shape[1]}: set drop_last=True in '
            'train_dataloader, or train a RipsNet for this batch size (tools/gen_pi.py, then tools/train_ripsnet.py)'
        )


def _widened(clouds: Tensor, width: int) -> Tensor:
    """Append zeros to points, which changes no distance between them."""
    return clouds if clouds.shape[2] == width else F.pad(clouds, (0, width - clouds.shape[2]))


def _levels(features: Features) -> Sequence[Tensor]:
    return [features] if isinstance(features, Tensor) else features


def _first(features: Features) -> Tensor:
    return _levels(features)[0]


def _width(features: Features, taps: Taps) -> int:
    """Return the width of the points that one tap or several make."""
    for level, path in zip(_levels(features), as_list(taps)):
        if level.ndim == 3:
            raise ValueError(
                f"points are made of vectors (N, C) or maps (N, C, H, W), tap '{path}' returns {tuple(level.shape)}: "
                f'{instead(level.shape, "cls", "mean", "map")}'
            )
    widths = [level.shape[1] for level in _levels(features)]
    if len(set(widths)) > 1:
        raise ValueError(
            f'the taps {list(taps)} must have the same width to be averaged into one point, got {widths}: '
            'name taps of one width'
        )
    return widths[0]
