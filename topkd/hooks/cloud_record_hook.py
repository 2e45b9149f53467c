"""Record over a training how the students' clouds compare with the teacher's."""

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor

from topkd.analysis.cloud_comparison import CloudComparison
from topkd.analysis.trained_students import TEACHER
from topkd.hooks.undisturbed import some_images, untouched
from topkd.models.clouds import BatchCloud
from topkd.models.distillers.cohort import Cohort
from topkd.models.taps.tap import reach
from topkd.registry import HOOKS
from topkd.utils.files import write_json

KEY = 'clouds'  # in the message hub, which every checkpoint holds
FILE = 'clouds.json'


@HOOKS.register_module()
class CloudRecordHook(Hook):
    """Compare every student's clouds with the teacher's on some validation images, every few epochs.

    The figures are those of :class:`topkd.analysis.cloud_comparison.CloudComparison`, for every member of a cohort
    (the plain ones included) or for the one student of a distiller. They go to ``clouds.json`` of the work directory,
    by student and epoch; a resumed training goes on with those that its checkpoint knows. The training is not touched.

    Args:
        ripsnet (str): File of a RipsNet, whose images and whose spec are used.
        others (dict, optional): Files of other RipsNets by name, whose errors are recorded too.
        interval (int): Epochs between two records; the last is always made. Defaults to 5.
        clouds (int): Number of clouds. Defaults to 16.
        num_points (int): Points of a cloud, that is validation images. Defaults to 64.
        tap (str): Where the points are read, in all networks. Defaults to 'neck[0]'.

    Raises (before the training):
        ValueError: If the validation set is smaller than all clouds together.
    """

    priority = 'LOW'  # before the checkpoint of the epoch, which holds the record, is saved

    def __init__(
        self,
        ripsnet: str,
        others: dict[str, str] | None = None,
        interval: int = 5,
        clouds: int = 16,
        num_points: int = 64,
        tap: str = 'neck[0]',
    ) -> None:
        # the student's initial weights must not depend on whether it is watched
        with torch.random.fork_rng(devices=[]):
            self.comparison = CloudComparison(ripsnet, others)
        self.interval = interval
        self.clouds = clouds
        self.cloud = BatchCloud(num_points)
        self.images = clouds * num_points
        self.tap = tap

    def before_train(self, runner: Runner) -> None:
        """Refuse a validation set that is too small, now and not after the first epochs."""
        there = len(runner.val_dataloader.dataset)
        if there < self.images:
            raise ValueError(
                f'CloudRecordHook needs {self.images} validation images for {self.clouds} clouds, got {there}: '
                'lower clouds or num_points'
            )

    def after_train_epoch(self, runner: Runner) -> None:
        """Add a record every ``interval`` epochs and after the last."""
        if self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner):
            self._record(runner)

    @master_only
    def _record(self, runner: Runner) -> None:
        model: Any = runner.model.module if is_model_wrapper(runner.model) else runner.model
        # a copy: the hub keeps what it was given
        record = {name: dict(epochs) for name, epochs in runner.message_hub.runtime_info.get(KEY, {}).items()}
        self.comparison.to(next(model.parameters()).device)
        with untouched(model):
            for name, (own, teacher) in self._clouds(runner, model).items():
                record.setdefault(name, {})[str(runner.epoch + 1)] = self.comparison(own, teacher)
        runner.message_hub.update_info(KEY, record)
        write_json(record, f'{runner.work_dir}/{FILE}')

    def _clouds(self, runner: Runner, model: Any) -> dict[str, tuple[Tensor, Tensor]]:
        """Return the clouds of every network, beside the teacher's."""
        data = model.data_preprocessor(some_images(runner.val_dataloader, self.images), False)
        inputs = data['inputs']
        features = model.teacher.features(inputs, [self.tap], model.data_preprocessor, data['data_samples'])
        teacher = self.cloud(features[self.tap])
        own = {name: self.cloud(reach(student, inputs, [self.tap])[self.tap]) for name, student in _students(model)}
        return {name: (clouds, teacher) for name, clouds in {TEACHER: teacher, **own}.items()}


def _students(model: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(model, Cohort):
        yield from ((name, model.members[name].student) for name in model.active)
    else:
        yield 'student', model.student
