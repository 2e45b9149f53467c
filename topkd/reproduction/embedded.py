"""The jobs ``digits`` and ``scenes``: a table in a few minutes, with lines of progress and a short table at the end."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger

from topkd.reproduction.command import run_plan
from topkd.reproduction.estimate import estimate, readable
from topkd.reproduction.jobs import Job
from topkd.reproduction.local_queue import LocalQueue
from topkd.reproduction.plan import Plan
from topkd.reproduction.planner import Planner, arrange
from topkd.reproduction.progress import progress, told_seconds
from topkd.reproduction.results_file import read_results
from topkd.reproduction.tables import Table
from topkd.reproduction.time_left import time_left
from topkd.utils.statistics import cell, mean_and_deviation

TEACHER = 'teacher'
PAUSE = 10.0  # seconds between two looks at the logs


def make_plan(
    table: Table, configs: Path, work_dir: Path, seeds: Sequence[int], epochs: int | None, **options: Any
) -> Plan:
    """Plan a table with a teacher of its own, students in cohorts, and RipsNet's operators apart.

    Args:
        table (Table): What is run.
        configs (Path): Folder of this package's configs.
        work_dir (Path): Folder of everything.
        seeds (Sequence[int]): Of the students.
        epochs (int, optional): Length of all trainings. None: the recipes'.
        **options (Any): As ``--cfg-options``.
    """
    # a teacher that lies where the config says is another run's
    own = {'model.teacher.checkpoint': str(work_dir / 'teacher.pth')}
    planner = Planner(configs, work_dir, seeds, epochs, dict(own, **options))
    return arrange(planner.plan(table), work_dir)


class EmbeddedJob:
    """Runs a plan of one pair on this machine, and tells a reader what happens.

    ``tools/digits.py`` and ``tools/digit_scenes.py`` are such jobs.

    Args:
        plan (Plan): What is run.
        queue (LocalQueue): Where.
        labels (Mapping[str, str]): What networks are called, by variant; 'teacher' too.
        figure (tuple[str, str]): A metric, and the format in which a line shows it.
        begin (float): Time from which lines count.
    """

    def __init__(
        self, plan: Plan, queue: LocalQueue, labels: Mapping[str, str], figure: tuple[str, str], begin: float
    ) -> None:
        self.plan, self.queue, self.labels, self.figure, self.begin = plan, queue, labels, figure, begin
        self.networks = {TEACHER: [name for name in plan.jobs if name.startswith(f'{TEACHER} ')]}
        self.networks.update({row.variant.name: list(row.jobs) for row in plan.rows})
        self._seconds: dict[str, float] | None = None
        self._starts: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._ends: dict[str, float] = {}
        self._looked, self._shown = begin, dict[str, str]()

    def say(self, text: str) -> None:
        """Print a line of progress with the time since the start, and the time left if it is known."""
        left = f'; about {readable(self._left())} left' if self._seconds and self.plan.missing() else ''
        print(f'[{time.time() - self.begin:5.0f} s] {text}{left}', flush=True)

    def run(self) -> None:
        """Run what is missing.

        Raises:
            ValueError: If a run failed; what is finished stays.
        """
        MMLogger.get_current_instance().setLevel('ERROR')  # the jobs have their own logs
        failures = run_plan(self.plan, self.queue, self.say, self._tell, self._look)
        if failures:
            raise ValueError('; '.join(failures))

    def results(self) -> dict[str, list[dict[str, Any]]]:
        """Return what ``results.json`` of each run holds, by the label of its network."""
        return {
            self.labels[network]: [_results(self.plan.find(name)) for name in names]
            for network, names in self.networks.items()
        }

    def pictures(self) -> list[Path]:
        """Return the folders of what was drawn."""
        return [folder for job in self.plan.jobs.values() for folder in job.pictures]

    def _tell(self) -> None:
        """Say what the jobs that have ended since the last call have found."""
        for name, job in self.plan.jobs.items():
            if name in self._starts and name not in self._took and job.is_done():
                self._took[name] = time.time() - self._starts[name]
                for line in self._found(job):
                    self.say(line)

    def _found(self, job: Job) -> list[str]:
        errors = ', '.join(f'{operator} {mse:.5f}' for operator, mse in job.errors().items())
        if errors:
            return [f'RipsNet: MSE on held-out clouds, {errors}']
        of_job = {job.name, *(member.name for member in job.members)}
        metric, form = self.figure
        return [
            f'{f"seed {position}: " if len(names) > 1 else ""}{self.labels[network]}: '
            + form.format(_results(self.plan.find(name))['last'][metric])
            for network, names in self.networks.items()
            for position, name in enumerate(names)
            if name in of_job
        ]

    def _look(self, running: Mapping[str, Any]) -> None:
        """Estimate how long all takes, once; then say now and then how far the running jobs are."""
        for name in running:
            self._starts.setdefault(name, time.time())
        if self._seconds is None:
            with redirect_stdout(io.StringIO()):  # of models that are built
                self._seconds = estimate(self.plan, self.queue.threads)[0]
            self.say(f'{len(self.plan.missing())} jobs to do, {self.queue.jobs} at once')
        if time.time() - self._looked < PAUSE:
            return
        self._looked = time.time()
        for name, job in running.items():
            text = progress(job.paths.stdout)
            if text is not None and self._shown.get(name) != text:
                self._shown[name] = text
                self._note_end(name, told_seconds(text))
                self.say(f'{name}: {text}')

    def _note_end(self, name: str, told: float | None) -> None:
        """Note when a job ends by its own words, if it says so."""
        if told is not None:
            self._ends[name] = time.time() + told

    def _left(self) -> float:
        """Return the seconds that are left: as running jobs say, for others at the speed of those that have ended."""
        seconds = self._seconds or {}
        estimated = sum(seconds.get(name, 0.0) for name in self._took)
        speed = sum(self._took.values()) / estimated if estimated > 1 else 1.0
        spent = {name: time.time() - start for name, start in self._starts.items() if name not in self._took}
        rest = {name: speed * value for name, value in seconds.items()}
        for name in spent:
            if name in self._ends:
                rest[name] = spent[name] + max(0.0, self._ends[name] - time.time())
        return time_left(self.plan.missing(), rest, self.queue.jobs, spent)


def closing_table(
    heading: str, results: Mapping[str, list[dict[str, Any]]], columns: Mapping[str, tuple[str, str]], digits: int
) -> str:
    """Format the means over seeds, with deviations if there are several.

    Args:
        heading (str): Of the first column.
        results (Mapping): Content of ``results.json`` of each seed, by label.
        columns (Mapping): 'last' or 'best', and a metric, by heading.
        digits (int): Behind the point.

    Examples:
        >>> runs = [dict(last=dict(ap=0.25)), dict(last=dict(ap=0.5))]
        >>> print(closing_table('network', dict(KD=runs, plain=[dict(last=dict(ap=-1.0))]), dict(AP=('last', 'ap')), 2))
        network           AP
        --------------------
        KD       0.38 ± 0.18
        plain              -
    """
    rows = [[heading, *columns]]
    for label, runs in results.items():
        cells = []
        for which, metric in columns.values():
            # pycocotools says -1 of a size of which there are no objects, and nothing of a detector that finds no box
            values = [run[which].get(metric, -1.0) for run in runs]
            cells.append('-' if min(values) < 0 else cell(*mean_and_deviation(values), digits))
        rows.append([label, *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        '  '.join([row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:]))])
        for row in rows
    ]
    return '\n'.join([lines[0], '-' * len(lines[0]), *lines[1:]])


def _results(job: Job) -> dict[str, Any]:
    return read_results(job.folder)
