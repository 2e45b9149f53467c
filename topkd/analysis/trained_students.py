"""A teacher and several of its trained students on the same images, as one topology loss sees them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.utils.data import DataLoader

from topkd.analysis.loaders import cloud_loader, split_loader
from topkd.analysis.student_checkpoints import TEACHER, load_projections, load_students
from topkd.models.clouds import IncompleteCloudError
from topkd.models.distillers.distiller import Distiller
from topkd.models.losses.distillation_loss import Features
from topkd.models.losses.topology_configs import topology_config
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.models.taps.tap import as_list, pick, reach
from topkd.utils.config import with_preprocessor


class NetworkFeatures(NamedTuple):
    """What the teacher and every student made of one batch of images, by name, the teacher first.

    Example:
        >>> import torch
        >>> NetworkFeatures(dict(teacher=torch.zeros(8, 64)), data_samples=[]).features['teacher'].shape
        torch.Size([8, 64])
    """

    features: dict[str, Features]
    data_samples: Sequence


class TrainedStudents:
    """A teacher, trained students, the projections trained with them, and one loss that names their taps and clouds.

    Nearly every analysis is a loop over the networks' features or clouds. It takes this object, batches and its own
    options.

    Args:
        model (Distiller): For teacher and preprocessor; it is set to eval mode.
        students (Mapping[str, nn.Module]): Networks by name; the distiller's own student may be one of them.
        loss (TopologyLoss): Names the taps and says what a cloud is; one of the distiller's losses.
        projections (Mapping, optional): Modules by name of the student. A student without one keeps the width of its
            points.
        cfg (Config, optional): Where the loaders come from.
    """

    def __init__(
        self,
        model: Distiller,
        students: Mapping[str, nn.Module],
        loss: TopologyLoss,
        projections: Mapping[str, nn.Module | None] | None = None,
        cfg: Config | None = None,
    ) -> None:
        self.model = model.eval()
        self.students = {name: student.eval() for name, student in students.items()}
        self.loss = loss
        self.projections = dict(projections or {})
        self.cfg = cfg

    @classmethod
    def load(
        cls, cfg: Config, checkpoints: Mapping[str, str], loss: str = 'topology', project: bool = False
    ) -> 'TrainedStudents':
        """Build a config's distiller on the device, and load its teacher and one student a checkpoint.

        Args:
            cfg (Config): A distillation config.
            checkpoints (Mapping[str, str]): By name of the student, of this config or of any other with the same
                student.
            loss (str): Name of the topology loss in ``model.losses``. Defaults to 'topology'.
            project (bool): Whether students' points are mapped to the teacher's width by the projections that were
                trained with them. Defaults to False.

        Raises:
            KeyError: If the config has no teacher or no such loss; this is found before anything is built.
            ValueError: If a student is named as the teacher is, weights do not fit, or a projection is missing.
        """
        topology_config(cfg, loss)
        model: Distiller = MODELS.build(with_preprocessor(cfg.model, cfg)).to(get_device()).eval()
        found = cast(TopologyLoss, model.losses[loss])
        students = load_students(model, checkpoints)
        return cls(model, students, found, load_projections(found, loss, checkpoints) if project else {}, cfg)

    @property
    def names(self) -> tuple[str, ...]:
        """tuple[str, ...]: Names of all networks, the teacher first."""
        return (TEACHER, *self.students)

    def loader(self, split: str, seed: int = 0) -> DataLoader:
        """Build a dataloader whose batches make whole clouds of random images.

        See :func:`topkd.analysis.loaders.cloud_loader`.

        Args:
            split (str): 'train' or 'test'.
            seed (int): Of the order of the images. Defaults to 0.
        """
        return cloud_loader(self._config(), split, self.loss.cloud, seed)

    def image_loader(self, split: str, augment: bool = False, seed: int | None = None) -> DataLoader:
        """Build the config's own dataloader of a split, see :func:`topkd.analysis.loaders.split_loader`."""
        return split_loader(self._config(), split, augment, seed)

    @torch.no_grad()
    def features(
        self, batches: Iterable[dict], limit: int | None = None, augment: bool = False
    ) -> Iterator[NetworkFeatures]:
        """Run all networks over batches once, and yield what they show at the loss's taps.

        Args:
            batches (Iterable[dict]): As a dataloader makes them.
            limit (int, optional): Number of batches; None for all.
            augment (bool): Whether the preprocessor treats the images as in training. Defaults to False.
        """
        preprocessor, loss = self.model.data_preprocessor, self.loss
        for number, batch in enumerate(batches):
            if number == limit:
                break
            data = preprocessor(batch, augment)
            inputs, samples = data['inputs'], data['data_samples']
            teacher = self.model.teacher.features(inputs, as_list(loss.teacher_tap), preprocessor, samples)
            features = {TEACHER: pick(teacher, loss.teacher_tap)}
            for name, student in self.students.items():
                features[name] = pick(reach(student, inputs, as_list(loss.student_tap)), loss.student_tap)
            yield NetworkFeatures(features, samples)

    @torch.no_grad()
    def clouds(self, batches: Iterable[dict], limit: int | None = None) -> Iterator[dict[str, Tensor]]:
        """Yield the clouds (B, n, d) of all networks batch by batch, without augmentation.

        Batches that make no whole cloud, such as images without objects, are passed over.

        Args:
            batches (Iterable[dict]): As :meth:`loader` makes them.
            limit (int, optional): Number of batches; None for all.
        """
        for shown in self.features(batches, limit):
            try:
                clouds = self.clouds_of(shown)
            except IncompleteCloudError:
                continue
            yield clouds

    @torch.no_grad()
    def clouds_of(self, shown: NetworkFeatures) -> dict[str, Tensor]:
        """Turn the features of one batch into clouds (B, n, d) by network.

        Args:
            shown (NetworkFeatures): See :meth:`features`.

        Raises:
            IncompleteCloudError: If the batch makes no whole cloud.
        """
        return {
            name: self.loss.cloud(features, self.projections.get(name), shown.data_samples)
            for name, features in shown.features.items()
        }

    def _config(self) -> Config:
        if self.cfg is None:
            raise ValueError('these students came without a config, so there is no data to load: hand over batches')
        return self.cfg
