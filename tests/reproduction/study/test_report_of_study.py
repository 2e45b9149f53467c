"""The report of a study: its numbers against formulas, its blocks and its pictures."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from topkd.reproduction.study import figures
from topkd.reproduction.study.findings import Comparison, comparisons, correlations, mechanisms, ripsnet_errors
from topkd.reproduction.study.ledger import METRIC
from topkd.reproduction.study.markdown import tables
from topkd.reproduction.study.report import write_report
from topkd.reproduction.study.stages import STAGES, TESTED
from topkd.utils.paired_statistics import paired_difference

NAMES = (
    'answer',
    'weights',
    'screening',
    'final',
    'second_pair',
    'replication',
    'ripsnets',
    'mechanism',
    'correlations',
)
NAMES += ('differences', 'ratios', 'errors')


def test_score(run):
    """Make up the test top-1 of a run: sorted deaths gain about a point, RipsNet nothing, and noise that pairs share."""
    noise = (0.0, 0.7, -0.4)[run.seed % 3]
    own = dict(sorted=(1.0, 1.2, 0.9), ripsnet=(0.1, -0.1, 0.0), more_kd=(0.5, 0.4, 0.6)).get(run.term, (0.0, 0.0, 0.0))
    return 30.0 + noise + own[run.seed % 3]


test_score.__test__ = False  # a helper


@pytest.fixture
def measured(ledger, fill):
    """Fill a whole study; every term's measurements grow with its gain on the validation images, but its scale."""
    gain = dict(ripsnet=0.0, sorted=0.5, sliced=0.4, more_kd=0.3, rkd=0.1, pkt=-0.2)
    for stage in ('bases', 'weights'):
        fill(STAGES[stage].runs(ledger.study, ledger), lambda run: 20.0)
    for number, run in enumerate(STAGES['weights'].runs(ledger.study, ledger)):
        clouds = {str(epoch): dict(ripsnet_error=(1 + number) / (10 * epoch), scale=1.0) for epoch in (1, 2)}
        ledger.write(run, dict(epochs=2, stopped=False, validation={METRIC: 20.0}, curve={}, clouds=clouds))
    for run in STAGES['screening'].runs(ledger.study, ledger):
        value = gain.get(run.term, 0.0)
        clouds = {
            str(epoch): dict(seen=0.5 + value + run.seed / 10, ripsnet_error=0.1 * epoch, scale=1 - value)
            for epoch in (1, 2)
        }
        found = dict(epochs=2, stopped=False, validation={METRIC: 25.0 + run.seed + value}, curve={}, clouds=clouds)
        ledger.write(run, found if run.term is None else dict(found, gradient_ratio=[0.1 + value, 0.3 + value]))
    for stage in TESTED:
        fill(STAGES[stage].runs(ledger.study, ledger), lambda run: 20.0, test_score)
    return ledger


@pytest.fixture
def document(tmp_path):
    path = tmp_path / 'docs' / 'study.md'
    path.parent.mkdir()
    blocks = '\n\n'.join(f'<!-- study: {name} -->\nold\n<!-- end -->' for name in NAMES)
    path.write_text(f'# Study\n\nWritten by hand.\n\n{blocks}\n\nThe end, by hand.\n')
    return path


def test_differences_are_paired_and_adjusted_base_by_base(measured):
    rows = {(row.base, row.term): row for row in comparisons(measured, 'final', 'test')}
    assert [key for key in rows if key[0] == 'KD'] == [
        ('KD', term) for term in (None, 'ripsnet', 'sorted', 'more_kd', 'rkd')
    ]
    found = rows['KD', 'sorted']
    assert found.scores == pytest.approx({3: 31.0, 4: 31.9, 5: 30.5}) and found.difference.differences == pytest.approx(
        [1.0, 1.2, 0.9]
    )
    test = stats.ttest_1samp([1.0, 1.2, 0.9], 0)
    assert found.difference.p == pytest.approx(test.pvalue)
    assert found.difference.student == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert found.to_more.mean == pytest.approx(np.mean([0.5, 0.8, 0.3]))
    # four comparisons with KD, one with CE
    others = [stats.ttest_1samp(values, 0).pvalue for values in ([0.1, -0.1, 0.0], [0.5, 0.4, 0.6])]
    smallest = min(found.difference.p, others[1])
    assert min(row.adjusted for row in rows.values() if row.adjusted is not None and row.base == 'KD') == pytest.approx(
        4 * smallest
    )
    assert rows['CE', 'sorted'].adjusted == pytest.approx(rows['CE', 'sorted'].difference.p)
    assert rows['KD', None].difference is None and rows['KD', 'more_kd'].to_more is None


def test_a_stopped_run_has_no_score_and_breaks_no_pair(measured):
    run = next(
        run for run in STAGES['final'].runs(measured.study, measured) if run.term == 'sorted' and run.base == 'KD'
    )
    measured.write(run, dict(epochs=2, stopped=True))
    row = next(row for row in comparisons(measured, 'final', 'test') if row.term == 'sorted' and row.base == 'KD')
    assert row.stopped == [3] and row.difference.differences == pytest.approx([1.2, 0.9])
    assert '(1 stopped)' in tables(measured)['final']


def test_mechanisms_are_means_over_seeds_and_correlations_spearmans(measured):
    found = {row.term: row for row in mechanisms(measured)}
    assert found['sorted'].gain == pytest.approx(0.5) and found[None].gain is None
    assert found['sorted'].ratios == pytest.approx([0.6, 0.8])
    assert found['sorted'].summary() == pytest.approx(
        {'gradient ratio': 0.7, 'seen': 1.15, 'ripsnet_error': 0.2, 'scale': 0.5}
    )
    rho = correlations(list(found.values()))
    assert rho['gradient ratio'][0] == pytest.approx(1) and rho['scale'][0] == pytest.approx(-1)
    assert rho['seen'][2] == 6 and 'ripsnet_error' not in rho  # the same for all terms


def test_ripsnets_are_judged_on_the_students_of_the_weights(measured):
    students = len(STAGES['weights'].runs(measured.study, measured))
    by_epoch = ripsnet_errors(measured)['ripsnet_error']
    assert by_epoch[2] == pytest.approx([(1 + number) / 20 for number in range(students)])
    mean = np.mean([(1 + number) / 10 for number in range(students)])
    assert tables(measured)['ripsnets'].splitlines()[0] == f'| {students} students, epoch | 1 | 2 |'
    assert f"| RipsNet's error | {mean:.3g} (0.1 to {students / 10:.3g}) |" in tables(measured)['ripsnets']


def test_report_fills_the_blocks_and_leaves_the_text(measured, document):
    write_report(measured, document)
    text = document.read_text()
    assert text.startswith('# Study\n\nWritten by hand.\n\n<!-- study: answer -->\n') and text.endswith(
        'The end, by hand.\n'
    )
    assert 'old' not in text and 'Not run yet' not in text
    assert '| CE + KD + sorted deaths | 0.1 | 3 | 31.13 ± 0.71 | +1.03 | [+0.65, +1.41] |' in text
    assert '**1: 20.00**, 3: 20.00' in text  # KD's weights, the first of equals
    # the gain of sorted deaths, +1.03, has an adjusted p of 0.03; RipsNet's is 0, more KD's +0.5
    assert "- first: **topology helps** (sorted deaths). The paper's term, RipsNet: +0.00 [-0.25, +0.25]" in text
    assert 'The best without topology, more KD: +0.50 [+0.25, +0.75]' in text
    # the same pair once more: no row of RipsNet, and RKD, which gains nothing, is the best of the rest
    assert '- first, replication: **topology helps** (sorted deaths). The best without topology, RKD: +0.00' in text
    for name in ('differences', 'ratios', 'errors'):
        assert f'](figures/study_{name}.png)' in text
        pixels = np.asarray(Image.open(document.parent / 'figures' / f'study_{name}.png').convert('L'))
        assert pixels.std() > 5
    numbers = json.loads((measured.folder / 'findings.json').read_text())
    best = next(row for row in numbers['final'] if row['term'] == 'sorted' and row['base'] == 'KD')
    assert best['mean'] == pytest.approx(31.1333, abs=1e-3) and best['difference']['mean'] == pytest.approx(
        1.0333, abs=1e-3
    )
    assert numbers['answers']['first'] == dict(answer='topology helps', terms=['sorted'])
    write_report(measured, document)
    assert document.read_text() == text


def test_an_interval_by_t_is_drawn_from_three_seeds_on(ledger, monkeypatch, tmp_path):
    figures_drawn = []
    monkeypatch.setattr(figures, 'save_figure', lambda figure, path: figures_drawn.append(figure))
    panels = {}
    for count in (2, 3):
        found = paired_difference([1.0, 3.0, 2.5][:count], [0.0, 1.0, 2.0][:count])
        panels[f'{count} seeds'] = [Comparison('pair', 'KD', 'sorted', 1.0, {}, [], difference=found)]
    assert figures.plot_differences(ledger.study, panels, str(tmp_path / 'differences.png'))
    two, three = ([line.get_xdata() for line in axis.lines] for axis in figures_drawn[0].axes)
    bounds = [tuple(panels[title][0].difference.student) for title in panels]
    assert not any(np.array_equal(drawn, bounds[0]) for drawn in two)
    assert any(np.array_equal(drawn, bounds[1]) for drawn in three)


def test_panels_of_one_pair_share_a_scale_that_another_does_not_stretch(ledger, monkeypatch, tmp_path):
    figures_drawn = []
    monkeypatch.setattr(figures, 'save_figure', lambda figure, path: figures_drawn.append(figure))
    panels = {}
    for title, pair, factor in (('one', 'a', 1.0), ('two', 'a', 2.0), ('three', 'b', 100.0)):
        found = paired_difference([factor, 3 * factor, 2 * factor], [0.0, 0.0, 0.0])
        panels[title] = [Comparison(pair, 'KD', 'sorted', 1.0, {}, [], difference=found)]
    figures.plot_differences(ledger.study, panels, str(tmp_path / 'differences.png'))
    one, two, three = (axis.get_xlim() for axis in figures_drawn[0].axes)
    assert one == two and one[1] < 20 < 200 < three[1]


def test_report_of_nothing_and_of_a_document_without_blocks(ledger, document):
    write_report(ledger, document)
    assert document.read_text().count('Not run yet.') == len(NAMES)
    for text, got in (('no blocks', 'none'), ('<!-- study: wrong -->\n<!-- end -->', 'wrong')):
        document.write_text(text)
        with pytest.raises(ValueError, match=f'must have blocks .* got {got}'):
            write_report(ledger, document)
        assert document.read_text() == text


def test_the_projects_document_has_every_block(ledger, document):
    text = (Path(__file__).resolve().parents[3] / 'docs' / 'study.md').read_text()
    document.write_text(text)
    write_report(ledger, document)
    assert all(f'<!-- study: {name} -->' in text for name in NAMES)
