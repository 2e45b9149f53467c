"""From a teacher and a training set to clouds and the persistence images that RipsNet learns."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import all_gather_object, all_reduce, barrier, get_rank, get_world_size, is_main_process
from mmengine.logging import print_log
from mmengine.registry import DATASETS, FUNCTIONS, MODELS
from torch import Tensor, nn
from torch.utils.data import DataLoader

from topkd.artifacts.array_file import ArrayFile
from topkd.artifacts.artifact import AT_WORK, check_request
from topkd.artifacts.cloud_origins import CloudOrigins
from topkd.artifacts.integrity import sealed
from topkd.artifacts.settings import CLOUDS
from topkd.artifacts.unfinished_clouds import UnfinishedClouds
from topkd.models.losses.topology_configs import unloaded_loss
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.models.taps.tap import pick
from topkd.models.teacher import Teacher
from topkd.registry import RUNNERS
from topkd.runners.batch_statistics import batch_statistics
from topkd.runners.cloud_makers import student_makers, teacher_maker
from topkd.runners.cloud_sampling import CloudSampler, CloudSeededDataset
from topkd.runners.progress import progress
from topkd.topology import PersistenceImager, diagram_backend, diagrams_without_gradient
from topkd.topology.diagram_range import DiagramRange
from topkd.utils.checkpoint import fingerprint
from topkd.utils.files import read_json, write_json
from topkd.utils.lock import working_in
from topkd.utils.seed import seed_everything
from topkd.utils.student_export import student_config

CLOUDS_PER_MARK, SECONDS_PER_MARK = 64, 10.0


@RUNNERS.register_module()
class PersistenceImageRunner:
    """Write a teacher's clouds, and the exact images of their diagrams, to an artifact folder.

    Files: ``clouds.npy`` (N, n, d) and ``images.npy`` (N, P), float32; ``manifest.json`` with the request, the
    teacher's fingerprint, the fitted spec, what computed the diagrams (:func:`topkd.topology.diagram_backend`), and
    sizes and checksums of both arrays. Cloud i depends on (seed, i) alone, so a run that was killed goes on, several
    processes share the work, and an array that was damaged is made again, with the same result. Memory does not grow
    with N.

    Args:
        teacher (Teacher): The frozen network.
        student (dict): Config of the plain student, whose data preprocessor augments and normalizes the images.
        dataloader (dict): Config of the training dataloader; its data set, workers and collate function are used.
        loss (TopologyLoss): Says what is tapped, what a cloud is and which images are wanted.
        settings (dict): Departures from :data:`topkd.artifacts.settings.CLOUDS`: ``num_clouds``; ``seed``;
            ``batch_statistics``, to let BatchNorm normalize by the cloud's own statistics as the authors' code did;
            ``scales``, for clouds of the teacher at other scales, and ``students``, checkpoints of students that make
            clouds too, see :class:`topkd.artifacts.cloud_origins.CloudOrigins`; ``chunk``, diagrams computed at once.
            Bandwidth and range of the images are fitted to the teacher's own clouds.

    Source: Section 4.1; Appendix B.
    """

    def __init__(self, teacher: Teacher, student: dict, dataloader: dict, loss: TopologyLoss, settings: dict) -> None:
        self.settings = CLOUDS.complete(settings)
        self.teacher = teacher
        self.preprocessor: nn.Module = MODELS.build(student).data_preprocessor
        self.dataloader = dict(dataloader)
        batch_size = self.dataloader.get('batch_size')
        self.artifact = loss.artifact(teacher.name, batch_size)
        self.making = UnfinishedClouds(self.artifact)
        self.asked, self.folder = self.artifact.request, self.artifact.folder
        self.cloud = loss.cloud
        self._check()
        students = student_makers(student, self.settings['students'], loss.student_tap)
        self.makers = [teacher_maker(teacher, self.asked['tap'], self.preprocessor), *students]
        self.backend = diagram_backend(self.asked['num_points'], self.asked['homology_dims'])
        self.cloud.gather = False  # clouds are made by single processes, however the loss gathers them
        self.images_per_cloud = self.cloud.images(self.asked['num_points'])
        self.imager = PersistenceImager(tuple(self.asked['resolution']))
        self.origins = CloudOrigins(self.settings['scales'], len(students), self.settings['seed'])
        self.device = get_device()

    def _check(self) -> None:
        """Refuse clouds whose size is unknown, and scales that would have no effect."""
        if self.asked['num_points'] is None:
            raise ValueError(
                'a cloud that is the whole batch needs a batch size: set train_dataloader.batch_size, or '
                'cloud.num_points in the topology loss'
            )
        if self.settings['scales'] is not None and self.cloud.normalization != 'none':
            raise ValueError(
                f"clouds.scales has no effect on clouds with normalization '{self.cloud.normalization}': leave one out"
            )

    @classmethod
    def from_cfg(cls, cfg: Config, loss: str = 'topology') -> 'PersistenceImageRunner':
        """Build the runner from a distillation config.

        Args:
            cfg (Config): A config with ``model``, ``train_dataloader`` and, optionally, ``clouds``.
            loss (str): Name of the topology loss. Defaults to 'topology'.
        """
        wanted = unloaded_loss(cfg, loss)
        # of a cohort, a loss is called <member>.<loss>
        member = loss.split('.')[0] if 'members' in cfg.model else None
        student = student_config(cfg, member)
        return cls(Teacher(**cfg.model.teacher), student, cfg.train_dataloader, wanted, dict(cfg.get('clouds') or {}))

    def run(self) -> str:
        """Make what is missing of the artifact; waits for another process that is at work on it.

        Returns:
            str: The artifact's folder.
        """
        with working_in(self.folder, AT_WORK, wait=True):
            self._complete()
        return str(self.folder)

    def _complete(self) -> None:
        dataset = DATASETS.build(self.dataloader['dataset'])
        if hasattr(dataset, 'full_init'):
            dataset.full_init()
        manifest = self._open(dataset)
        if manifest.get('complete'):
            if is_main_process():
                self.making.tidy()
            made_by = f', its diagrams made by {manifest["backend"]["name"]}' if 'backend' in manifest else ''
            print_log(f"'{self.folder}' is complete{made_by}: nothing to do", 'current')
            return
        self._make(dataset, manifest)

    def _make(self, dataset: Any, manifest: dict[str, Any]) -> None:
        """Make clouds, then the images' range from their diagrams, then the images."""
        begin = time.time()
        self._make_clouds(dataset)
        print_log(f'diagrams by {self.backend.name} ({self.backend.reason})', 'current')
        self._fit()
        self._make_images()
        if is_main_process():
            self._finish(manifest)
        barrier()
        print_log(
            f"{self.settings['num_clouds']} clouds and images in '{self.folder}' after {time.time() - begin:.0f} s; "
            f'diagrams by {self.backend.name}; spec {self.imager.spec()}',
            'current',
        )

    def _open(self, dataset: Any) -> dict[str, Any]:
        """Make the folder and its arrays, or check those found: what is damaged is made again."""
        request = dict(
            teacher=self.teacher.name,
            teacher_fingerprint=self.teacher.fingerprint,
            **self.asked,
            num_clouds=self.settings['num_clouds'],
            seed=self.settings['seed'],
            batch_statistics=self.settings['batch_statistics'],
            scales=None if self.settings['scales'] is None else list(self.settings['scales']),
            students=[fingerprint(maker.network) for maker in self.makers[1:]] or None,
            dataset=type(dataset).__name__,
            num_images=len(dataset),
        )
        if is_main_process():
            self.making.open(request, lambda: self._forward(next(iter(self._loader(dataset, [0]))), 0).shape[-1])
        barrier()
        manifest = read_json(self.artifact.manifest)
        check_request(manifest['request'], request, self.folder)
        return manifest

    def _loader(self, dataset: Any, clouds: list[int]) -> DataLoader:
        """Load the images of given clouds, in the config's own way."""
        sampler = CloudSampler(clouds, len(dataset), self.images_per_cloud, self.settings['seed'])
        collate = dict(self.dataloader.get('collate_fn', dict(type='pseudo_collate')))
        function = FUNCTIONS.get(collate.pop('type'))
        return DataLoader(
            CloudSeededDataset(dataset, self.settings['seed']),
            batch_sampler=sampler,
            collate_fn=lambda batch: function(batch, **collate),
            num_workers=self.dataloader.get('num_workers', 0),
        )

    @torch.no_grad()
    def _forward(self, batch: Any, cloud: int) -> Tensor:
        """Return the cloud (1, n, d) that the teacher, or the student whose turn it is, makes of a batch."""
        seed_everything(self.settings['seed'], cloud)
        data = self.preprocessor(batch, True)
        maker = self.makers[self.origins.maker(cloud)]
        with batch_statistics(maker.network, self.settings['batch_statistics']):
            features = maker.features(data['inputs'], data['data_samples'])
        return self.cloud(pick(features, maker.taps), data_samples=data['data_samples']) * self.origins.factor(cloud)

    def _checked_points(self, batch: dict, index: int, width: int) -> np.ndarray:
        points = self._forward(batch, index)
        maker = self.makers[self.origins.maker(index)].name
        if points.shape[-1] != width:
            raise ValueError(
                f"the {maker} makes points of width {points.shape[-1]}, the teacher's have {width}, and a RipsNet "
                'reads points of one width: leave it out of clouds.students'
            )
        if not points.isfinite().all():
            raise FloatingPointError(
                f'the {maker} makes features of cloud {index} that are not finite: check its checkpoint and the data '
                'preprocessor'
            )
        return points.cpu().numpy()

    def _make_clouds(self, dataset: Any) -> None:
        clouds, done = ArrayFile(self.artifact.clouds), ArrayFile(self.making.done)
        marks = done.read(0, len(done))
        finished = int(np.count_nonzero(marks))
        missing = np.flatnonzero(marks == 0)[get_rank() :: get_world_size()].tolist()
        barrier()  # every rank has read the marks before any rank writes one
        if is_main_process() and 0 < finished < len(done):
            print_log(f'resuming at {finished} of {len(done)} clouds', 'current')
        for module in (self.teacher, self.preprocessor, *(maker.network for maker in self.makers)):
            module.to(self.device)
        written: list[int] = []
        marked = time.monotonic()

        def mark() -> None:
            clouds.flush()
            for index in written:
                done.write(index, np.ones(1, np.uint8))
            written.clear()

        for index, batch in zip(progress('clouds', missing), self._loader(dataset, missing)):
            clouds.write(index, self._checked_points(batch, index, clouds.shape[-1]))
            written.append(index)
            if len(written) == CLOUDS_PER_MARK or time.monotonic() - marked > SECONDS_PER_MARK:
                mark()
                marked = time.monotonic()
        mark()
        barrier()

    def _chunks(self, what: str) -> Iterator[tuple[int, list[Tensor]]]:
        """Yield (first cloud, diagrams) of this process's chunks."""
        clouds, chunk = ArrayFile(self.artifact.clouds), self.settings['chunk']
        # a run of neighbors for every process, so that processes in order are clouds in order
        starts = np.array_split(np.arange(0, len(clouds), chunk), get_world_size())[get_rank()].tolist()
        for start in progress(what, starts):
            points = torch.from_numpy(clouds.read(start, start + chunk)).to(self.device)
            yield start, diagrams_without_gradient(points, self.asked['homology_dims'])

    def _fit(self) -> None:
        """Fit bandwidth and range over the diagrams of all processes, in the order of the clouds."""
        own = DiagramRange()
        for start, diagrams in self._chunks('diagrams'):
            fitted = [diagram for number, diagram in enumerate(diagrams, start) if self.origins.is_own(number)]
            if fitted:
                own.update(fitted)
        self.imager.to(self.device).set_range(DiagramRange().merge(all_gather_object(own)))

    def _make_images(self) -> None:
        """Write the images, not divided by the scale yet, and find their maximum."""
        images = ArrayFile(self.making.raw)
        for start, diagrams in self._chunks('images'):
            raw = self.imager.raw(diagrams)
            self.imager.scale.copy_(torch.maximum(self.imager.scale, raw.max()))
            images.write(start, raw.cpu().numpy())
        images.flush()
        all_reduce(self.imager.scale, 'max')
        barrier()

    def _finish(self, manifest: dict) -> None:
        """Divide the images by the scale into their final file, and declare the artifact complete."""
        raw = ArrayFile(self.making.raw)
        images = ArrayFile.create(self.artifact.images, raw.shape)
        for start in range(0, len(raw), 4096):
            images.write(start, raw.read(start, start + 4096) / self.imager.scale.item())
        images.flush()
        made = dict(spec=self.imager.spec(), backend=self.backend._asdict(), files=self.artifact.record())
        write_json(sealed(dict(manifest, **made, complete=True)), self.artifact.manifest)
        self.making.tidy()
