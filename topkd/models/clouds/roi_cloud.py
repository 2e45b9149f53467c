"""Clouds whose points are objects instead of images."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from topkd.models.clouds.point_cloud import IncompleteCloudError, PointCloud
from topkd.models.clouds.pooling import Features
from topkd.registry import MODELS
from topkd.utils.checks import whole
from topkd.utils.tensors import full_precision

FINEST_SCALE = 56  # pixels; a box of twice that side is read one level higher, as in mmdet's RoI extractor


@MODELS.register_module()
class RoICloud(PointCloud):
    """Make one cloud of the annotated objects of a batch: a point is the average feature inside a box.

    A batch has any number R of objects, a cloud ``num_points``: every R / num_points-th object is a point, which
    repeats objects where R is smaller. A repeated point adds a component that dies at 0, and the weight of a
    persistence image is 0 there; so the image is that of the distinct objects.

    Clouds are made by each process for itself: the number of objects differs between them.

    Args:
        num_points (int): Points of a cloud, n. Defaults to 16.
        images_per_cloud (int): Images whose objects make one cloud while RipsNet's training set is made; in the
            distillation it is the batch of a process. Defaults to 8.
        size (int): Samples along each side of a box, averaged. Defaults to 7.
        normalization (str): See :func:`topkd.models.clouds.normalization.normalize_clouds`. Defaults to 'none'.
        incomplete (str): What a batch without objects does: ``'skip'`` leaves the topology term out of that step,
            ``'error'`` stops. Defaults to 'skip'.

    Example:
        >>> from mmengine.structures import InstanceData
        >>> from mmdet.structures import DetDataSample
        >>> sample = DetDataSample(gt_instances=InstanceData(bboxes=torch.tensor([[0.0, 0.0, 16.0, 16.0]])))
        >>> sample.set_metainfo(dict(batch_input_shape=(64, 64)))
        >>> RoICloud(num_points=4)(torch.rand(1, 8, 16, 16), data_samples=[sample]).shape
        torch.Size([1, 4, 8])

    Source: beyond the paper.
    """

    reads_annotations = True

    def __init__(
        self,
        num_points: int = 16,
        images_per_cloud: int = 8,
        size: int = 7,
        normalization: str = 'none',
        incomplete: str = 'skip',
    ) -> None:
        super().__init__(num_points, images_per_cloud, normalization, incomplete)
        self.num_points: int = num_points
        self.size = whole('size', size, at_least=1)

    def points(self, features: Features, data_samples: Sequence[Any] | None = None) -> Tensor:
        """Turn the features of a batch into one cloud.

        Args:
            features (Tensor | Sequence[Tensor]): A level (N, C, H, W), or the levels of a pyramid from fine to coarse,
                each half as large as the one before.
            data_samples (Sequence): mmdet's data samples, with ``gt_instances`` and ``batch_input_shape``.

        Returns:
            Tensor: Cloud (1, n, C) in full precision.

        Raises:
            ValueError: If there are no data samples.
            IncompleteCloudError: If no image of the batch has an object.
        """
        if data_samples is None:
            raise ValueError('a cloud of objects needs the data samples of the batch, got none: pass data_samples')
        levels = full_precision([features] if isinstance(features, Tensor) else list(features))
        boxes = gt_rois(data_samples).to(levels[0])
        if not len(boxes):
            raise IncompleteCloudError(
                'a cloud of objects needs one object at least, the images of this batch have none'
            )
        chosen = torch.arange(self.num_points, device=boxes.device) * len(boxes) // self.num_points
        if len(boxes) < self.num_points:
            chosen = torch.arange(self.num_points, device=boxes.device) % len(boxes)
        height = data_samples[0].batch_input_shape[0]
        return roi_points(levels, boxes[chosen], height, self.size)[None]

    def request(self) -> dict[str, Any]:
        """Return what an artifact must record, see :meth:`PointCloud.request`."""
        return dict(super().request(), images_per_cloud=self.images_per_cloud)


def gt_rois(data_samples: Sequence[Any]) -> Tensor:
    """List the annotated boxes of a batch.

    Args:
        data_samples (Sequence): mmdet's data samples; crowds are not in their ``gt_instances``.

    Returns:
        Tensor: (R, 5): number of the image, x1, y1, x2, y2 in pixels.

    Example:
        >>> from mmengine.structures import InstanceData
        >>> from mmdet.structures import DetDataSample
        >>> sample = DetDataSample(gt_instances=InstanceData(bboxes=torch.tensor([[0.0, 0.0, 16.0, 8.0]])))
        >>> gt_rois([sample])
        tensor([[ 0.,  0.,  0., 16.,  8.]])
    """
    boxes = [torch.as_tensor(sample.gt_instances.bboxes) for sample in data_samples]
    return torch.cat([torch.cat([box.new_full((len(box), 1), index), box], 1) for index, box in enumerate(boxes)])


def roi_points(levels: Sequence[Tensor], rois: Tensor, height: int, size: int) -> Tensor:
    r"""Average features inside boxes, each on the level that fits its size.

    .. math:: \mathrm{level} = \lfloor \log_2(\sqrt{w h} / 56) \rfloor

    Args:
        levels (Sequence[Tensor]): (N, C, H, W), from fine to coarse.
        rois (Tensor): (R, 5): number of the image, x1, y1, x2, y2 in pixels.
        height (int): Of the images, in pixels; tells the levels' strides.
        size (int): Samples along each side of a box.

    Returns:
        Tensor: Points (R, C).

    Example:
        >>> levels = [torch.ones(1, 8, 16, 16), 2 * torch.ones(1, 8, 8, 8)]
        >>> roi_points(levels, torch.tensor([[0.0, 0.0, 0.0, 32.0, 32.0]]), height=64, size=7)
        tensor([[1., 1., 1., 1., 1., 1., 1., 1.]])
    """
    from torchvision.ops import roi_align  # a second to import, and of use to detectors only

    sides = (rois[:, 3:] - rois[:, 1:3]).clamp_min(0).prod(dim=1).sqrt()
    wanted = torch.log2(sides / FINEST_SCALE + 1e-6).floor().clamp(0, len(levels) - 1).long()
    points = rois.new_zeros(len(rois), levels[0].shape[1])
    for index, level in enumerate(levels):
        here = (wanted == index).nonzero().squeeze(1)
        scale = level.shape[2] / height
        pooled = roi_align(level, rois[here], size, scale, sampling_ratio=1, aligned=True).mean(dim=(2, 3))
        points = points.index_copy(0, here, pooled)
    return points
