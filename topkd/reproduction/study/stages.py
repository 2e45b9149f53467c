"""The stages of a study: which runs each has, given what those before it found."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from topkd.reproduction.study.ledger import Ledger
from topkd.reproduction.study.protocol import Study
from topkd.reproduction.study.run import StudyRun
from topkd.reproduction.study.screening import finalists, for_other_bases


def base_runs(study: Study, ledger: Ledger) -> list[StudyRun]:
    """List every base with every weight."""
    return [
        StudyRun(study.pair, name, seed, weight)
        for seed in study.seeds.weights
        for name, base in study.bases.items()
        for weight in base.weights
    ]


def weight_runs(study: Study, ledger: Ledger) -> list[StudyRun]:
    """List every term with every weight on the main base."""
    base, weight = study.main_base, base_weights(study, ledger)[study.main_base]
    return [
        StudyRun(study.pair, base, seed, weight, name, value)
        for seed in study.seeds.weights
        for name, term in study.terms.items()
        for value in term.weights
    ]


def screening_runs(study: Study, ledger: Ledger) -> list[StudyRun]:
    """List the main base and every term at its chosen weight."""
    return _beside(study, ledger, study.pair, study.main_base, study.terms, study.seeds.screening, tested=False)


def final_runs(study: Study, ledger: Ledger) -> list[StudyRun]:
    """List what passed the screening on the main base, and the best of its topology terms on the others."""
    passed, few = finalists(*_screened(study, ledger)), for_other_bases(*_screened(study, ledger))
    return [
        run
        for base in study.bases
        for run in _beside(
            study, ledger, study.pair, base, passed if base == study.main_base else few, study.seeds.final, tested=True
        )
    ]


def second_pair_runs(study: Study, ledger: Ledger) -> list[StudyRun]:
    """List what passed the screening, on the second pair."""
    passed, seeds = finalists(*_screened(study, ledger)), study.seeds.second_pair
    return _beside(study, ledger, study.second_pair, study.main_base, passed, seeds, tested=True)


def replication_runs(study: Study, ledger: Ledger) -> list[StudyRun]:
    """List the main base and what is replicated, on the first pair."""
    terms, seeds = study.replicated, study.seeds.replication
    return _beside(study, ledger, study.pair, study.main_base, terms, seeds, tested=True)


class Stage(NamedTuple):
    """A part of a study.

    Attributes:
        runs (Callable): Returns its runs, from the study and the ledger of the stages before it.
        measured (bool): Whether clouds are measured. Defaults to True.
        title (str): What its results are called beside those of another stage on the same pair. Defaults to nothing.
    """

    runs: Callable[[Study, Ledger], list[StudyRun]]
    measured: bool = True
    title: str = ''


STAGES: dict[str, Stage] = dict(
    bases=Stage(base_runs, measured=False),
    weights=Stage(weight_runs),
    screening=Stage(screening_runs),
    final=Stage(final_runs),
    second_pair=Stage(second_pair_runs),
    replication=Stage(replication_runs, title='replication'),
)
TESTED = ('final', 'second_pair', 'replication')  # whose runs look at the test images


def titled(stage: str, pair: str) -> str:
    """Return what a stage's results on a pair are called."""
    return ', '.join(part for part in (pair, STAGES[stage].title) if part)


def base_weights(study: Study, ledger: Ledger) -> dict[str, float | None]:
    """Return the weight of every base that is best on the validation images, None for one without a loss."""
    chosen: dict[str, float | None] = dict.fromkeys(study.bases)
    for name, runs in _grouped(base_runs(study, ledger), 'base').items():
        chosen[name] = best(runs, ledger).base_weight
    return chosen


def term_weights(study: Study, ledger: Ledger) -> dict[str, float | None]:
    """Return the weight of every term that is best on the validation images."""
    runs = weight_runs(study, ledger)
    return {str(name): best(tried, ledger).weight for name, tried in _grouped(runs, 'term').items()}


def best(runs: Iterable[StudyRun], ledger: Ledger) -> StudyRun:
    """Return the run that is best on the validation images; of equals the one that comes first."""
    return max(runs, key=ledger.score)


def screened_differences(study: Study, ledger: Ledger) -> dict[str, float]:
    """Return the mean paired difference of every term to the main base on the validation images, in points."""
    scores = {
        term: np.array([ledger.score(run) for run in runs])
        for term, runs in _grouped(screening_runs(study, ledger), 'term').items()
    }
    return {name: float(np.mean(scores[name] - scores[None])) for name in study.terms}


def _grouped(runs: Iterable[StudyRun], key: str) -> dict[Any, list[StudyRun]]:
    """Sort runs by one of their attributes, each group in their order."""
    groups: dict[Any, list[StudyRun]] = {}
    for run in runs:
        groups.setdefault(getattr(run, key), []).append(run)
    return groups


def _screened(study: Study, ledger: Ledger) -> tuple[Study, dict[str, float]]:
    return study, screened_differences(study, ledger)


def _beside(
    study: Study, ledger: Ledger, pair: str, base: str, terms: Iterable[str], seeds: Iterable[int], tested: bool
) -> list[StudyRun]:
    """List a base and terms on it, seed by seed, at the chosen weights."""
    own, weights = base_weights(study, ledger)[base], term_weights(study, ledger)
    return [
        StudyRun(pair, base, seed, own, name, None if name is None else weights[name], tested)
        for seed in seeds
        for name in [None, *terms]
    ]
