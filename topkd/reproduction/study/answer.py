"""The written rule by which a study answers whether topology helps."""

from collections.abc import Sequence
from typing import NamedTuple

from topkd.reproduction.study.findings import Comparison, comparisons, stage_runs
from topkd.reproduction.study.ledger import Ledger
from topkd.reproduction.study.protocol import Study
from topkd.reproduction.study.stages import TESTED, titled

HELPS = 'topology helps'
HELPS_TOO = 'it helps, but not because it is topology'
NO_HELP = 'it does not help here'
UNDECIDED = 'undecided'


class Answer(NamedTuple):
    """What the runs of one pair say.

    Attributes:
        answer (str): One of the four that the module names.
        terms (list[str]): The topology terms that it rests on, none for the last two.
        paper (Comparison, optional): That of the paper's own term.
        rival (Comparison, optional): The best of what is not topology, more of the base included.
    """

    answer: str
    terms: list[str]
    paper: Comparison | None
    rival: Comparison | None


def answer_of(study: Study, rows: Sequence[Comparison]) -> Answer:
    """Answer from the comparisons with the main base on one pair.

    - *Topology helps* if a topology term gains with an adjusted p below the study's level and an interval above 0, and
      gains no less than more of the base and than the best reference.
    - *It helps, but not because it is topology* if only the last is missed.
    - *It does not help here* if no topology term gains so, and every interval ends below what the study neglects.
    - Everything else is *undecided*.

    Args:
        study (Study): Knows kinds and rule.
        rows (Sequence[Comparison]): Base and terms.
    """
    compared = [(row, row.difference) for row in rows if row.term is not None and row.difference is not None]
    topology = [(row, found) for row, found in compared if study.terms[str(row.term)].kind == 'topology']
    others = [(row, found) for row, found in compared if study.terms[str(row.term)].kind != 'topology']
    rival = max(others, key=lambda other: other[1].mean, default=None)
    gaining = [
        (row, found)
        for row, found in topology
        if row.adjusted is not None and row.adjusted < study.answer.level and found.student[0] > 0
    ]
    ahead = [row for row, found in gaining if rival is None or found.mean >= rival[1].mean]
    paper = next((row for row, _ in topology if row.term == study.paper), None)
    rest = paper, None if rival is None else rival[0]
    if ahead:
        return Answer(HELPS, [str(row.term) for row in ahead], *rest)
    if gaining:
        return Answer(HELPS_TOO, [str(row.term) for row, _ in gaining], *rest)
    small = bool(topology) and all(found.student[1] < study.answer.negligible for _, found in topology)
    return Answer(NO_HELP if small else UNDECIDED, [], *rest)


def answers(ledger: Ledger) -> dict[str, Answer]:
    """Answer from every tested stage whose runs on the main base are all finished.

    Args:
        ledger (Ledger): Of the study.

    Returns:
        dict: By name of the pair, and the stage's title where it has one.
    """
    study, found = ledger.study, {}
    for stage in TESTED:
        runs = [run for run in stage_runs(ledger, stage) if run.base == study.main_base]
        if runs and all(ledger.is_done(run) for run in runs):
            rows = [row for row in comparisons(ledger, stage, 'test') if row.base == study.main_base]
            found[titled(stage, runs[0].pair)] = answer_of(study, rows)
    return found
