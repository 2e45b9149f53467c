"""Paper and ours side by side, as Markdown and JSON."""

import json
import math
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.models.vectorizers import OPERATORS
from topkd.reproduction.analyses import analysis_figures
from topkd.reproduction.jobs import AnalysisJob, Job, RipsNetTraining
from topkd.reproduction.paper import note, paper_values, source
from topkd.reproduction.plan import Plan, Row
from topkd.reproduction.tables import Table
from topkd.utils.files import write_json
from topkd.utils.statistics import cell, mean_and_deviation
from topkd.version import __version__

# pycocotools' figures are shares, the paper's are percent
PERCENT = ('coco/',)
VALIDATED = ('accuracy/', 'coco/')
DIGITS = dict(mean=6, sum=6, mse=6, bottleneck=4, bottleneck_scale_free=4, silhouette=3, davies_bouldin=3)


class Report:
    """What is known of a table: the paper's numbers, and those of the runs that are finished.

    Args:
        name (str): Of the table.
        table (Table): Which variants of which pairs.
        plan (Plan): Their jobs.
        command (str): By which it was made.
        reduced (Sequence[str]): Departures from the paper's recipe, one sentence each; the paper's numbers are then
            shown, but no difference to them.
        device (str): Where the runs run, in words.
    """

    def __init__(
        self, name: str, table: Table, plan: Plan, command: str, reduced: Sequence[str] = (), device: str = ''
    ) -> None:
        self.name, self.table, self.plan, self.command = name, table, plan, command
        self.reduced, self.device = list(reduced), device

    def content(self) -> dict[str, Any]:
        """Return everything as plain values."""
        rows = [self._row(row) for row in self.plan.rows]
        for row in rows:
            control = next(
                (
                    other
                    for other in rows
                    if other['variant'] == 'KD' and other['pair'] == row['pair'] and other['probe'] == row['probe']
                ),
                None,
            )
            if control is not None and row is not control:
                row['minus_kd'] = {which: _differences(row[which], control[which]) for which in ('last', 'best')}
        return dict(
            table=self.name,
            title=self.table.title,
            source=source(),
            note=note(self.name),
            command=self.command,
            reduced=self.reduced,
            environment=dict(
                topkd=__version__, torch=torch.__version__, python=platform.python_version(), device=self.device
            ),
            teachers={pair: self._teacher(pair, rows) for pair in self.plan.teachers},
            rows=rows,
        )

    def write(self, folder: Path, suffix: str = '') -> Path:
        """Write ``<table><suffix>.md`` and ``.json``, and return the first one's path."""
        folder.mkdir(parents=True, exist_ok=True)
        content = _json_values(self.content())
        write_json(content, folder / f'{self.name}{suffix}.json')
        path = folder / f'{self.name}{suffix}.md'
        partial = path.with_suffix('.partial')
        partial.write_text(markdown(content, self.table.metrics), encoding='utf-8')
        partial.replace(path)
        return path

    def _row(self, row: Row) -> dict[str, Any]:
        runs = [run for run in (self._run(self.plan.find(name), row.variant.name) for name in row.jobs) if run]
        paper = paper_values(self.name, row.pair, row.probe).get(row.variant.name, {})
        result: dict[str, Any] = dict(
            pair=row.pair,
            variant=row.variant.name,
            label=row.variant.label,
            probe=row.probe,
            paper=paper,
            planned=len(row.jobs),
            runs=runs,
        )
        for which in ('last', 'best'):
            result[which] = {
                metric: _summary(
                    [run[which][metric] for run in runs if math.isfinite(run[which].get(metric, math.nan))]
                )
                for metric in self.table.metrics
                if runs
            }
        if not self.reduced:
            result['difference'] = _differences(
                result['best'], {metric: dict(mean=value) for metric, value in paper.items()}
            )
        return result

    def _run(self, job: Job, network: str) -> dict[str, Any] | None:
        """Read a finished job's figures of a network; None where it is not finished."""
        if not job.is_done():
            return None
        if isinstance(job, RipsNetTraining):
            return _ripsnet_run(job.artifact)
        if isinstance(job, AnalysisJob):
            figures = analysis_figures(job.tool, job.folder)
            own = figures.get(network, {})
            return dict(last=own, best=own, teacher=figures.get('teacher', {}), folder=str(job.folder))
        results = json.loads((job.folder / 'results.json').read_text())
        values = {
            which: {
                metric: _scaled(metric, results[which][metric])
                for metric in self.table.metrics
                if metric in results[which]
            }
            for which in ('last', 'best')
        }
        teacher = {metric: _scaled(metric, value) for metric, value in results.get('teacher', {}).items()}
        return dict(
            values, seed=results['seed'], epochs=results['last']['epoch'], teacher=teacher, folder=str(job.folder)
        )

    def _teacher(self, pair: str, rows: list[dict]) -> dict[str, Any]:
        name, checkpoint = self.plan.teachers[pair]
        measured = [
            run['teacher']
            for row in rows
            if row['pair'] == pair and not row['probe']
            for run in row['runs']
            if run['teacher']
        ]
        return dict(
            name=name,
            checkpoint=checkpoint,
            paper=paper_values(self.name, pair).get('teacher', {}),
            ours=measured[0] if measured else {},
        )


def _ripsnet_run(artifact: RipsNetArtifact) -> dict[str, Any]:
    values = {}
    for operator in OPERATORS:
        path = artifact.result(operator)
        if path.is_file():
            values[operator] = json.loads(path.read_text())['mse']
    return dict(
        last=values,
        best=values,
        teacher={},
        folder=str(artifact.folder),
        num_clouds=artifact.settings(()).get('clouds.num_clouds'),
    )


def _json_values(node: Any) -> Any:
    """Replace numbers that JSON does not know, such as the loss of a run that diverged, by None."""
    if isinstance(node, dict):
        return {key: _json_values(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_json_values(value) for value in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node


def _scaled(metric: str, value: float) -> float:
    return 100 * value if metric.startswith(PERCENT) else value


def _summary(values: list[float]) -> dict[str, float]:
    """Return mean and sample standard deviation over seeds."""
    if not values:
        return {}
    mean, deviation = mean_and_deviation(values)
    return dict(mean=mean) if deviation is None else dict(mean=mean, std=deviation)


def _differences(ours: dict[str, dict], others: dict[str, dict]) -> dict[str, float]:
    return {
        metric: value['mean'] - others[metric]['mean']
        for metric, value in ours.items()
        if 'mean' in value and 'mean' in others.get(metric, {})
    }


def markdown(content: dict[str, Any], metrics: dict[str, str]) -> str:
    """Format a report."""
    heading = re.sub(r'(\d+)', r' \1', content['table']).capitalize()
    lines = [f'# {heading}: {content["title"]}', '']
    lines += [f'**{sentence}**' for sentence in content['reduced']]
    lines += [''] * bool(content['reduced'])
    for pair in dict.fromkeys(row['pair'] for row in content['rows']):
        for probe in dict.fromkeys(row['probe'] for row in content['rows'] if row['pair'] == pair):
            rows = [row for row in content['rows'] if row['pair'] == pair and row['probe'] == probe]
            for metric, heading in metrics.items():
                lines += _section(pair, probe, rows, metric, heading, content['teachers'][pair])
    environment = content['environment']
    best = (
        '"Best" is the best validation of a run, which papers report although it is chosen on the test split; "last" '
        'is what a user gets. '
    )
    lines += [
        f'Paper: {content["source"]}.',
        *([content['note']] if content['note'] else []),
        '',
        (best if any(metric.startswith(VALIDATED) for metric in metrics) else '')
        + 'Spread: sample standard deviation over seeds.',
        '',
        f'Made by `{content["command"]}`; {environment["device"]}, Python {environment["python"]}, torch '
        f'{environment["torch"]}, topkd {environment["topkd"]}.',
        '',
    ]
    return '\n'.join(lines)


def _section(pair: str, probe: str, rows: list[dict], metric: str, heading: str, teacher: dict) -> list[str]:
    """Format one metric of one pair."""
    # only validations have a best and a last one
    validated, digits = metric.startswith(VALIDATED), DIGITS.get(metric, 2)
    lines = [f'## {pair}{f", {probe}" if probe else ""}: {heading}', '']
    paper, ours = teacher['paper'].get(metric), teacher['ours'].get(metric)
    if paper is not None or ours is not None:
        lines += [f'Teacher {teacher["name"]}: paper {_number(paper, digits)}, ours {_number(ours, digits)}.', '']
    columns = {
        '': lambda row: row['label'],
        'paper': lambda row: _number(row['paper'].get(metric), digits),
        'ours, best' if validated else 'ours': lambda row: _spread(row['best'].get(metric), digits),
    }
    if validated:
        columns['ours, last'] = lambda row: _spread(row['last'].get(metric), digits)
    if any(metric in row.get('difference', {}) for row in rows):
        columns['ours - paper'] = lambda row: _number(row.get('difference', {}).get(metric), digits, sign=True)
    if any('minus_kd' in row for row in rows):
        columns['minus KD' + ', last' * validated] = lambda row: _number(
            row.get('minus_kd', {}).get('last', {}).get(metric), digits, sign=True
        )
    columns['runs'] = lambda row: f'{len(row["runs"])} of {row["planned"]}'
    lines += [f'| {" | ".join(columns)} |', '|---' * len(columns) + '|']
    lines += [f'| {" | ".join(text(row) for text in columns.values())} |' for row in rows]
    return lines + ['']


def _number(value: float | None, digits: int, sign: bool = False) -> str:
    return '-' if value is None else f'{value:{"+" if sign else ""}.{digits}f}'


def _spread(value: dict[str, float] | None, digits: int) -> str:
    return cell(value['mean'], value.get('std'), digits) if value else '-'
