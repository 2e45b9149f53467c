"""Write what a study found so far into its document, with figures and a file of all numbers."""

import re
from pathlib import Path

from topkd.reproduction.study.answer import answers
from topkd.reproduction.study.figures import plot_differences, plot_errors, plot_ratios
from topkd.reproduction.study.findings import Comparison, comparisons, correlations, mechanisms
from topkd.reproduction.study.ledger import Ledger
from topkd.reproduction.study.markdown import NOTHING, tables
from topkd.reproduction.study.stages import TESTED, titled
from topkd.utils.files import write_json

BLOCK = re.compile(r'(<!-- study: (\w+) -->\n).*?(<!-- end -->)', re.DOTALL)


def write_report(ledger: Ledger, document: Path) -> None:
    """Bring a document's blocks, its figures and ``findings.json`` of the ledger up to date.

    A block stands between ``<!-- study: NAME -->`` and ``<!-- end -->``; the text around the blocks is left alone.
    Figures lie in the document's folder ``figures``.

    Args:
        ledger (Ledger): Of the study.
        document (Path): Markdown file.

    Raises:
        ValueError: If the document has no block, or one of an unknown name.
    """
    text = document.read_text(encoding='utf-8')
    found = {**tables(ledger), **_figures(ledger, document.parent / 'figures')}
    names = [match[2] for match in BLOCK.finditer(text)]
    if not names or set(names) - set(found):
        raise ValueError(
            f"'{document}' must have blocks '<!-- study: NAME -->' to '<!-- end -->' with names of {', '.join(found)}, "
            f'got {", ".join(names) or "none"}'
        )
    document.write_text(BLOCK.sub(lambda match: f'{match[1]}{found[match[2]]}\n{match[3]}', text), encoding='utf-8')
    ledger.folder.mkdir(parents=True, exist_ok=True)
    write_json(_numbers(ledger), ledger.folder / 'findings.json')


def _figures(ledger: Ledger, folder: Path) -> dict[str, str]:
    """Draw all figures that can be drawn, and return the lines that show them, by name of their blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    study, measured = ledger.study, mechanisms(ledger)
    drawn = dict(
        differences=(
            plot_differences(study, _panels(ledger), str(folder / 'study_differences.png')),
            'paired differences to the base on the test images',
        ),
        ratios=(plot_ratios(study, measured, str(folder / 'study_ratios.png')), 'gradient ratios over the epochs'),
        errors=(plot_errors(study, measured, str(folder / 'study_errors.png')), 'errors of RipsNets over the epochs'),
    )
    return {
        name: f'![{title}](figures/study_{name}.png)' if there else NOTHING for name, (there, title) in drawn.items()
    }


def _panels(ledger: Ledger) -> dict[str, list[Comparison]]:
    panels: dict[str, list[Comparison]] = {}
    for stage in TESTED:
        for row in comparisons(ledger, stage, 'test'):
            title = f'{titled(stage, row.pair)}, {ledger.study.bases[row.base].title}'
            panels.setdefault(title, []).append(row)
    return panels


def _numbers(ledger: Ledger) -> dict:
    """Return everything that tables and figures show."""
    measured = mechanisms(ledger)
    return dict(
        screening=[row.plain() for row in comparisons(ledger, 'screening', 'validation')],
        **{stage: [row.plain() for row in comparisons(ledger, stage, 'test')] for stage in TESTED},
        mechanism=[dict(term=row.term, gain=row.gain, **row.summary()) for row in measured],
        answers={pair: dict(answer=found.answer, terms=found.terms) for pair, found in answers(ledger).items()},
        correlations={key: dict(rho=rho, p=p, terms=terms) for key, (rho, p, terms) in correlations(measured).items()},
    )
