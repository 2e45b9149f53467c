"""What the runs of a study cost on this machine, in core-hours, from a few timed steps."""

import time
from collections.abc import Iterable
from itertools import islice

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

from topkd.reproduction.estimate import as_trained
from topkd.reproduction.study.jobs import StudyCohort
from topkd.utils.config import with_preprocessor

STEPS = 4


class Cost:
    """Time the teacher's and one student's part of a step, once a pair.

    Processor time counts and not the time on the clock, so that a machine that is busy otherwise tells the same.
    Validations, measurements of clouds and what single terms cost beyond KD are left out.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, float]] = {}

    def hours(self, cohorts: Iterable[StudyCohort]) -> float:
        """Return the core-hours of a plan's cohorts."""
        return sum(self._cohort_hours(job) for job in cohorts)

    def _cohort_hours(self, job: StudyCohort) -> float:
        pair = job.runs[0].pair
        if pair not in self._known:
            self._known[pair] = step_seconds(job.config)
        teacher, student = self._known[pair]
        steps = len(Runner.build_dataloader(job.config.train_dataloader, seed=0)) * job.config.train_cfg.max_epochs
        return (teacher + student * len(job.runs)) * steps / 3600


def step_seconds(cfg: Config) -> tuple[float, float]:
    """Time steps of cohorts of one student and of three, on one core.

    Args:
        cfg (Config): Of a cohort; its first member's student is trained by KD.

    Returns:
        tuple: Seconds of the teacher, with all that is shared, and of one student.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one, three = (_median_step(cfg, count) for count in (1, 3))
    finally:
        torch.set_num_threads(threads)
    student = max((three - one) / 2, 0.0)
    return max(one - student, 0.0), student


def _median_step(cfg: Config, count: int) -> float:
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    first = next(iter(cfg.model.members.values()))
    member = dict(student=first.student, losses=dict(kd=dict(type='topkd.KDLoss')), gradient_interval=0)
    teacher = dict(cfg.model.teacher.to_dict(), checkpoint=None)
    members = {f'student{number}': member for number in range(count)}
    model = MODELS.build(with_preprocessor(dict(type='topkd.Cohort', teacher=teacher, members=members), cfg))
    return _median_seconds(model, as_trained(model, cfg), Runner.build_dataloader(cfg.train_dataloader, seed=0))


def _median_seconds(model: BaseModel, wrapper: OptimWrapper, batches: Iterable) -> float:
    seconds = []
    for batch in islice(batches, STEPS + 1):
        begin = time.process_time()
        model.train_step(batch, wrapper)
        seconds.append(time.process_time() - begin)
    return sorted(seconds[1:])[(len(seconds) - 1) // 2]
