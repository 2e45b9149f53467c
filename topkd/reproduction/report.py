"""Paper and ours side by side, as Markdown and JSON."""

import math
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from topkd.reproduction.costs import StepCosts
from topkd.reproduction.markdown import markdown
from topkd.reproduction.paper import note, paper_values, published_source, published_values, source
from topkd.reproduction.plan import Plan, Row
from topkd.reproduction.tables import Table
from topkd.utils.files import write_json
from topkd.utils.paired_statistics import paired_difference
from topkd.utils.statistics import mean_and_deviation
from topkd.version import __version__


class Report:
    """What is known of a table: the paper's numbers, and those of the runs that are finished.

    Args:
        name (str): Of the table.
        table (Table): Which variants of which pairs.
        plan (Plan): Their jobs.
        command (str): By which it was made.
        reduced (Sequence[str]): Departures from the paper's recipe, one sentence each; the paper's numbers are then
            shown, but no difference to them.
        hardware (str): What the runs run on, in words.
        costs (StepCosts, optional): What a step of each method costs, for a table that ranks them.
    """

    def __init__(
        self,
        name: str,
        table: Table,
        plan: Plan,
        command: str,
        reduced: Sequence[str] = (),
        hardware: str = '',
        costs: StepCosts | None = None,
    ) -> None:
        self.name, self.table, self.plan, self.command = name, table, plan, command
        self.reduced, self.hardware, self.costs = list(reduced), hardware, costs or StepCosts({})

    def content(self) -> dict[str, Any]:
        """Return everything as plain values."""
        rows = [*(self._row(row) for row in self.plan.rows), *self._absent()]
        controls = {(row['pair'], row['probe']): row for row in rows if row['variant'] == 'KD'}
        for row in rows:
            self._compare(row, controls.get((row['pair'], row['probe']), row))
        if self.table.ranked:
            rows = _ranked(rows, next(iter(self.table.metrics)))
        return dict(
            table=self.name,
            title=self.table.title,
            source=source(),
            published_source=published_source(),
            costs=self.costs.source if self.table.ranked else None,
            note=note(self.name),
            command=self.command,
            reduced=self.reduced,
            environment=dict(
                topkd=__version__, torch=torch.__version__, python=platform.python_version(), device=self.hardware
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

    def _compare(self, row: dict[str, Any], control: dict[str, Any]) -> None:
        """Add the differences to a row's control, KD with the same pair and probe; none to the control itself."""
        if row is not control:
            row['minus_kd'] = {which: _differences(row[which], control[which]) for which in ('last', 'best')}
            if self.table.paired:
                row['paired'] = _paired(row['runs'], control['runs'], tuple(self.table.metrics))

    def _row(self, row: Row) -> dict[str, Any]:
        done = [job for job in map(self.plan.find, row.jobs) if job.is_done()]
        runs = [job.figures(row.variant.name, tuple(self.table.metrics)) for job in done]
        paper = self._paper(row.pair, row.probe).get(row.variant.name, {})
        result: dict[str, Any] = dict(
            pair=row.pair,
            variant=row.variant.name,
            label=row.variant.label,
            probe=row.probe,
            paper=paper,
            published=published_values(row.pair).get(row.variant.name, {}),
            planned=len(row.jobs),
            runs=runs,
        )
        result.update({which: self._summaries([run[which] for run in runs]) for which in ('last', 'best')})
        if self.table.ranked:
            result['cost'] = self.costs.of(row.pair, row.variant.name)
        if not self.reduced:
            result['difference'] = _differences(
                result['best'], {metric: dict(mean=value) for metric, value in paper.items()}
            )
        return result

    def _summaries(self, figures: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
        """Return mean and deviation of the runs by metric, of those that have it as a finite number."""
        return {
            metric: _summary([run[metric] for run in figures if math.isfinite(run.get(metric, math.nan))])
            for metric in self.table.metrics
            if figures
        }

    def _absent(self) -> list[dict[str, Any]]:
        """Return the rows of the methods that have no run, with the reason."""
        places = dict.fromkeys((row.pair, row.probe) for row in self.plan.rows)
        return [
            dict(
                **dict(pair=pair, variant=name, label=f'CE + {name}', probe=probe, absent=reason),
                paper=self._paper(pair, probe).get(name, {}),
                published=published_values(pair).get(name, {}),
                **dict(planned=0, runs=[], last={}, best={}, **(dict(cost={}) if self.table.ranked else {})),
            )
            for pair, probe in places
            for name, reason in self.table.absent.items()
        ]

    def _paper(self, pair: str, probe: str = '') -> dict[str, dict[str, float]]:
        """Return the paper's numbers of a pair, from whichever of its tables holds them."""
        found = (paper_values(name, pair, probe) for name in self.table.paper or (self.name,))
        return next((values for values in found if values), {})

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
            paper=self._paper(pair).get('teacher', {}),
            ours=measured[0] if measured else {},
        )


def _paired(runs: list[dict], control: list[dict], metrics: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return differences of the last validations by metric, over the seeds that both have; none for fewer than 2."""
    ours, others = ({run['seed']: run['last'] for run in of} for of in (runs, control))
    found = {}
    for metric in metrics:
        seeds = [seed for seed in ours if metric in ours[seed] and metric in others.get(seed, {})]
        if len(seeds) > 1:
            values, control_values = ([of[seed][metric] for seed in seeds] for of in (ours, others))
            found[metric] = paired_difference(values, control_values)._asdict()
    return found


def _ranked(rows: list[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Sort the rows of each pair by the mean of the last validations; those without a run come last."""
    pairs = list(dict.fromkeys(row['pair'] for row in rows))
    return sorted(
        rows, key=lambda row: (pairs.index(row['pair']), -(row['last'].get(metric) or {}).get('mean', -math.inf))
    )


def _json_values(node: Any) -> Any:
    """Replace numbers that JSON does not know, such as the loss of a run that diverged, by None."""
    if isinstance(node, dict):
        return {key: _json_values(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_json_values(value) for value in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node


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
