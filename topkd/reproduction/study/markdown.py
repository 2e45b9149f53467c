"""The tables of a study's report."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from topkd.reproduction.study.answer import Answer, answers
from topkd.reproduction.study.findings import (
    Comparison,
    Mechanism,
    comparisons,
    correlations,
    mechanisms,
    ripsnet_errors,
    stage_runs,
)
from topkd.reproduction.study.ledger import Ledger
from topkd.reproduction.study.protocol import Study
from topkd.reproduction.study.run import StudyRun
from topkd.reproduction.study.screening import finalists
from topkd.reproduction.study.stages import TESTED, best, screened_differences
from topkd.utils.paired_statistics import Interval, PairedDifference
from topkd.utils.statistics import cell

NOTHING = 'Not run yet.'
HEADS = dict(
    seen='deaths seen',
    ripsnet_error="RipsNet's error",
    image_distance='image distance',
    bottleneck='bottleneck, scale-free',
)


def tables(ledger: Ledger) -> dict[str, str]:
    """Return all tables by the name of their place in the document.

    Args:
        ledger (Ledger): Of the study.
    """
    study = ledger.study
    return dict(
        answer=answer_text(study, answers(ledger)),
        weights=weight_table(ledger),
        screening=screening_table(ledger),
        **{stage: final_table(study, comparisons(ledger, stage, 'test')) for stage in TESTED},
        ripsnets=ripsnet_table(study, ripsnet_errors(ledger)),
        mechanism=mechanism_table(study, mechanisms(ledger)),
        correlations=correlation_table(study, correlations(mechanisms(ledger))),
    )


def weight_table(ledger: Ledger) -> str:
    """Return the validation top-1 of every weight that was tried, the chosen one in bold."""
    groups: dict[str, list[StudyRun]] = {}
    for run in [*stage_runs(ledger, 'bases'), *stage_runs(ledger, 'weights')]:
        title = ledger.study.bases[run.base].title if run.term is None else ledger.study.terms[run.term].title
        groups.setdefault(title, []).append(run)
    rows = []
    for title, runs in groups.items():
        scores = {run: ledger.score(run) for run in runs if ledger.is_done(run)}
        chosen = best(runs, ledger) if len(scores) == len(runs) else None
        cells = [_tried(run, scores.get(run), run == chosen) for run in runs]
        rows.append([title, ', '.join(cells)])
    done = any(ledger.is_done(run) for runs in groups.values() for run in runs)
    return _table(['', 'weight: validation top-1'], rows) if done else NOTHING


def _tried(run: StudyRun, score: float | None, chosen: bool) -> str:
    weight = run.base_weight if run.term is None else run.weight
    text = f'{_number(weight)}: {"-" if score is None else f"{score:.2f}"}'
    return f'**{text}**' if chosen else text


def screening_table(ledger: Ledger) -> str:
    """Return the validation top-1 of the screening, and what passed."""
    rows = comparisons(ledger, 'screening', 'validation')
    try:
        passed = finalists(ledger.study, screened_differences(ledger.study, ledger))
    except LookupError:
        passed = []
    cells = [
        [
            _title(ledger.study, row),
            _weight(row),
            _spread(row),
            '' if row.difference is None else f'{row.difference.mean:+.2f}',
            'yes' if row.term in passed else '',
        ]
        for row in rows
    ]
    return _table(['', 'weight', 'validation top-1', 'difference', 'passes'], cells) if rows else NOTHING


def final_table(study: Study, rows: Sequence[Comparison]) -> str:
    """Return the test top-1 of the final runs and their paired differences.

    Args:
        study (Study): Knows the titles.
        rows (Sequence[Comparison]): Of one pair.
    """
    differences = ['difference', '95 % (t)', '95 % (bootstrap)', 'p', 'p, Holm']
    head = ['', 'weight', 'seeds', 'test top-1', *differences, f'to {study.terms[study.control].title}']
    cells = []
    for row in rows:
        line = [_title(study, row), _weight(row), str(len(row.scores)), _spread(row)]
        if row.difference is not None:
            found = row.difference
            line += [f'{found.mean:+.2f}', _interval(found.student), _interval(found.bootstrap)]
            line += [_p(found.p), _p(row.adjusted)]
            line += ['' if row.to_more is None else _gain(row.to_more)]
        cells.append(line + [''] * (len(head) - len(line)))
    return _table(head, cells) if cells else NOTHING


def answer_text(study: Study, found: Mapping[str, Answer]) -> str:
    """Return what the study answers, a line for every answer.

    Args:
        study (Study): Knows the titles.
        found (Mapping): See :func:`topkd.reproduction.study.answer.answers`.
    """
    lines = []
    for title, given in found.items():
        terms = ', '.join(study.terms[term].title for term in given.terms)
        line = f'- {title}: **{given.answer}**{f" ({terms})" if terms else ""}.'
        for what, row in (("The paper's term", given.paper), ('The best without topology', given.rival)):
            if row is not None and row.difference is not None:
                line += f' {what}, {study.terms[str(row.term)].title}: {_gain(row.difference)}, '
                line += f'adjusted p {_p(row.adjusted)}.'
        lines.append(line)
    return '\n'.join(lines) or NOTHING


def ripsnet_table(study: Study, errors: dict[str, dict[int, list[float]]]) -> str:
    """Return the errors of RipsNets on students by epoch: the mean, and the least and greatest of a student.

    Args:
        study (Study): Knows the titles.
        errors (dict): See :func:`topkd.reproduction.study.findings.ripsnet_errors`.
    """
    if not errors:
        return NOTHING
    first = next(iter(errors.values()))
    epochs = sorted(first)
    rows = [
        [headline(study, key), *(_mean_and_range(by_epoch[epoch]) for epoch in epochs)]
        for key, by_epoch in errors.items()
    ]
    return _table([f'{len(first[epochs[-1]])} students, epoch', *map(str, epochs)], rows)


def _mean_and_range(values: Sequence[float]) -> str:
    return f'{np.mean(values):.3g} ({min(values):.3g} to {max(values):.3g})'


def mechanism_table(study: Study, found: Sequence[Mechanism]) -> str:
    """Return what was measured on the runs of the screening, after their last epoch."""
    keys = list(dict.fromkeys(key for row in found for key in row.summary()))
    rows = []
    for row in found:
        values = row.summary()
        title = study.bases[study.main_base].title if row.term is None else study.terms[row.term].title
        gain = '' if row.gain is None else f'{row.gain:+.2f}'
        rows.append([title, gain, *(f'{values[key]:.3g}' if key in values else '' for key in keys)])
    return _table(['', 'gain', *(headline(study, key) for key in keys)], rows) if rows else NOTHING


def correlation_table(study: Study, found: dict[str, tuple[float, float, int]]) -> str:
    """Return how each measurement goes with the gain.

    Args:
        study (Study): Knows the titles.
        found (dict): See :func:`topkd.reproduction.study.findings.correlations`.
    """
    rows = [[headline(study, key), f'{rho:+.2f}', f'{p:.3f}', str(terms)] for key, (rho, p, terms) in found.items()]
    return _table(['', "Spearman's rho with the gain", 'p', 'terms'], rows) if rows else NOTHING


def headline(study: Study, key: str) -> str:
    """Return what a table or an axis says of a measurement.

    Args:
        study (Study): Knows the titles of other RipsNets.
        key (str): Of :meth:`topkd.reproduction.study.findings.Mechanism.summary`.
    """
    judged = {f'ripsnet_error_{name}': f'error of {study.terms[name].title}' for name in study.judged}
    return judged.get(key, HEADS.get(key, key))


def _title(study: Study, row: Comparison) -> str:
    base = study.bases[row.base].title
    return base if row.term is None else f'{base} + {study.terms[row.term].title}'


def _weight(row: Comparison) -> str:
    return _number(row.weight)


def _number(weight: float | None) -> str:
    if weight is None:
        return ''
    return f'{weight:,.0f}' if weight >= 1000 else f'{weight:.3g}'


def _spread(row: Comparison) -> str:
    stopped = f' ({len(row.stopped)} stopped)' if row.stopped else ''
    found = row.plain()
    return ('-' if found['mean'] is None else cell(found['mean'], found['deviation'], 2)) + stopped


def _gain(found: PairedDifference) -> str:
    return f'{found.mean:+.2f} {_interval(found.student)}'


def _p(value: float | None) -> str:
    if value is None:
        return ''
    return f'{value:.3f}' if value >= 0.001 else '< 0.001'


def _interval(bounds: Interval) -> str:
    return f'[{bounds[0]:+.2f}, {bounds[1]:+.2f}]'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)
