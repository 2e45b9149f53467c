"""What a study found so far: scores, paired differences and measurements of its finished runs."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from topkd.reproduction.study.ledger import Ledger
from topkd.reproduction.study.run import StudyRun
from topkd.reproduction.study.stages import STAGES
from topkd.utils.paired_statistics import PairedDifference, holm, paired_difference
from topkd.utils.statistics import mean_and_deviation

RATIO = 'gradient ratio'
RIPSNET_ERROR = 'ripsnet_error'  # begins the name of the error of every RipsNet that is judged


class Comparison(NamedTuple):
    """A term on a base, seed by seed, and how it differs from the base.

    Attributes:
        pair (str): Name of the pair.
        base (str): Name of the base.
        term (str, optional): Name of the term, None for the base alone.
        weight (float, optional): Of the term.
        scores (dict[int, float]): Top-1 by seed, of the runs that are finished and were not stopped.
        stopped (list[int]): Seeds whose run was stopped.
        difference (PairedDifference, optional): To the base, over the seeds that both have; None for fewer than two.
        to_more (PairedDifference, optional): To the study's control, more of the base, alike.
        adjusted (float, optional): p of the difference, adjusted for all comparisons with this base.
    """

    pair: str
    base: str
    term: str | None
    weight: float | None
    scores: dict[int, float]
    stopped: list[int]
    difference: PairedDifference | None = None
    to_more: PairedDifference | None = None
    adjusted: float | None = None

    def plain(self) -> dict[str, Any]:
        """Return plain values, with ``mean`` and ``deviation`` of the scores."""
        content = self._asdict()
        for key in ('difference', 'to_more'):
            content[key] = None if content[key] is None else content[key]._asdict()
        mean, deviation = mean_and_deviation(list(self.scores.values())) if self.scores else (None, None)
        return dict(content, mean=mean, deviation=deviation)


def stage_runs(ledger: Ledger, stage: str) -> list[StudyRun]:
    """List a stage's runs, none if a stage before it is not finished."""
    try:
        return STAGES[stage].runs(ledger.study, ledger)
    except LookupError:
        return []


def comparisons(ledger: Ledger, stage: str, split: str) -> list[Comparison]:
    """Compare every term of a stage with its base.

    Args:
        ledger (Ledger): Of the study.
        stage (str): Name of the stage.
        split (str): 'validation' or 'test'.

    Returns:
        list[Comparison]: Base by base, the base itself first; what no seed has is left out.
    """
    rows = _scored(ledger, stage_runs(ledger, stage), split)
    found = []
    for base in dict.fromkeys(row.base for row in rows):
        found += _compared([row for row in rows if row.base == base], ledger.study.control)
    return found


def _scored(ledger: Ledger, runs: Iterable[StudyRun], split: str) -> list[Comparison]:
    """Collect the scores of a stage's finished runs by base and term."""
    rows: dict[tuple, Comparison] = {}
    for run in runs:
        if not ledger.is_done(run):
            continue
        key = (run.base, run.term)
        row = rows.setdefault(key, Comparison(run.pair, run.base, run.term, run.weight, {}, []))
        score = ledger.score(run, split)
        if np.isfinite(score):
            row.scores[run.seed] = score
        else:
            row.stopped.append(run.seed)
    return list(rows.values())


def _compared(rows: list[Comparison], control: str) -> list[Comparison]:
    """Add the differences between rows of one base."""
    by_term = {row.term: row.scores for row in rows}
    rows = [
        row._replace(
            difference=None if row.term is None else _difference(row.scores, by_term.get(None, {})),
            to_more=None if row.term in (None, control) else _difference(row.scores, by_term.get(control, {})),
        )
        for row in rows
    ]
    compared = [row for row in rows if row.difference is not None]
    adjusted = dict(
        zip((row.term for row in compared), holm([row.difference.p for row in compared if row.difference is not None]))
    )
    return [row._replace(adjusted=adjusted.get(row.term)) for row in rows]


def _difference(scores: dict[int, float], control: dict[int, float]) -> PairedDifference | None:
    seeds = [seed for seed in scores if seed in control]
    if len(seeds) < 2:
        return None
    return paired_difference([scores[seed] for seed in seeds], [control[seed] for seed in seeds])


class Mechanism(NamedTuple):
    """What was measured during the runs of a term, as means over seeds.

    Attributes:
        term (str, optional): Name of the term, None for the base alone.
        gain (float, optional): Mean paired difference to the base on the validation images.
        ratios (list[float]): Median gradient ratio by epoch.
        clouds (dict[str, dict[int, float]]): Figures of the clouds by name, each by epoch, see
            :mod:`topkd.analysis.cloud_comparison`.
    """

    term: str | None
    gain: float | None
    ratios: list[float]
    clouds: dict[str, dict[int, float]]

    def summary(self) -> dict[str, float]:
        """Return the median of the gradient ratio over all epochs, and the last epoch's figures of the clouds."""
        ratio = {RATIO: float(np.median(self.ratios))} if self.ratios else {}
        return dict(ratio, **{key: values[max(values)] for key, values in self.clouds.items()})


def mechanisms(ledger: Ledger) -> list[Mechanism]:
    """Collect what was measured on the runs of the screening, which has every term."""
    gains = {row.term: row.difference for row in comparisons(ledger, 'screening', 'validation')}
    entries: dict[str | None, list[dict]] = {}
    for run in stage_runs(ledger, 'screening'):
        entry = ledger.read(run)
        if entry is not None and not entry['stopped']:
            entries.setdefault(run.term, []).append(entry)
    return [_mechanism(term, gains[term], found) for term, found in entries.items()]


def _mechanism(term: str | None, gain: PairedDifference | None, entries: list[dict]) -> Mechanism:
    ratios = [entry['gradient_ratio'] for entry in entries if entry.get('gradient_ratio')]
    records = [entry['clouds'] for entry in entries if 'clouds' in entry]
    clouds: dict[str, dict[int, float]] = {}
    for epoch in records[0] if records else ():
        for key in records[0][epoch]:
            clouds.setdefault(key, {})[int(epoch)] = float(np.mean([record[epoch][key] for record in records]))
    mean = None if gain is None else gain.mean
    return Mechanism(term, mean, np.mean(ratios, axis=0).tolist() if ratios else [], clouds)


def ripsnet_errors(ledger: Ledger) -> dict[str, dict[int, list[float]]]:
    """Collect how far RipsNets are from exact images on the students of the weights, none of which they were shown.

    Args:
        ledger (Ledger): Of the study.

    Returns:
        dict: By measurement and epoch, the mean squared error of every student.
    """
    found: dict[str, dict[int, list[float]]] = {}
    for run in stage_runs(ledger, 'weights'):
        for epoch, figures in ((ledger.read(run) or {}).get('clouds') or {}).items():
            for key, value in figures.items():
                if key.startswith(RIPSNET_ERROR):
                    found.setdefault(key, {}).setdefault(int(epoch), []).append(value)
    return found


def correlations(found: list[Mechanism]) -> dict[str, tuple[float, float, int]]:
    """Correlate the gain with every measurement over the terms.

    Args:
        found (list[Mechanism]): See :func:`mechanisms`.

    Returns:
        dict: By measurement, Spearman's coefficient, its p-value and the number of terms; without those that fewer than
        four terms have, or that all terms have the same.
    """
    points: dict[str, list[tuple[float, float]]] = {}
    for row in found:
        if row.gain is not None:
            for key, value in row.summary().items():
                points.setdefault(key, []).append((value, row.gain))
    result = {}
    for key, known in points.items():
        if len(known) >= 4 and len({value for value, _ in known}) > 1:
            test = stats.spearmanr(*zip(*known))
            result[key] = (float(test.statistic), float(test.pvalue), len(known))
    return result
