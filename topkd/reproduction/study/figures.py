"""The figures of a study's report: differences with intervals, pulls and errors over the epochs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from matplotlib.axes import Axes

from topkd.analysis.style import COLORS, MARKERS, line_style, new_figure, save_figure
from topkd.reproduction.study.findings import Comparison, Mechanism
from topkd.reproduction.study.markdown import headline
from topkd.reproduction.study.protocol import KINDS, Study


def plot_differences(study: Study, panels: Mapping[str, Sequence[Comparison]], path: str) -> bool:
    """Draw the paired differences to the base, a panel a pair and base: mean, t interval and bootstrap interval.

    Args:
        study (Study): Knows the titles.
        panels (Mapping): Comparisons by title.
        path (str): PNG to write.

    Returns:
        bool: Whether there was anything to draw.
    """
    drawn = {title: [row for row in rows if row.difference is not None] for title, rows in panels.items()}
    drawn = {title: rows for title, rows in drawn.items() if rows}
    if not drawn:
        return False
    heights = [len(rows) + 0.8 for rows in drawn.values()]
    intervals = '95 % intervals: thick by t, from three seeds on; thin by bootstrap'
    label = f'difference of top-1 on the test images, points\n{intervals}'
    height = 1.2 + 0.4 * sum(heights)
    first: dict[str, Axes] = {}  # panels of one pair have one scale; few seeds of another must not flatten them
    with _column(path, 7.2, height, label, sharex=False, nrows=len(drawn), height_ratios=heights) as axes:
        for axis, (title, rows) in zip(axes, drawn.items()):
            axis.sharex(first.setdefault(rows[0].pair, axis))
            _intervals(axis, study, rows)
            axis.set_title(title, fontsize=10)
    return True


def plot_ratios(study: Study, found: Sequence[Mechanism], path: str) -> bool:
    """Draw the median gradient ratio of every term by epoch.

    Args:
        study (Study): Knows the titles.
        found (Sequence[Mechanism]): Of the screening.
        path (str): PNG to write.

    Returns:
        bool: Whether there was anything to draw.
    """
    rows = [row for row in found if row.ratios]
    if not rows:
        return False
    with _column(path, 9.5, 6.0, 'epoch', nrows=2, sharey=True) as axes:
        for axis, kinds in zip(axes, (KINDS[:1], KINDS[1:])):
            for place, row in enumerate(row for row in rows if study.terms[str(row.term)].kind in kinds):
                _line(axis, place, range(1, len(row.ratios) + 1), row.ratios, study.terms[str(row.term)].title)
            axis.set_yscale('log', nonpositive='clip')
            _finish(axis, f'gradient ratio, {" and ".join(kinds)}')
    return True


def plot_errors(study: Study, found: Sequence[Mechanism], path: str) -> bool:
    """Draw the error of each RipsNet on the clouds of the base's students and of each topology term's, by epoch.

    Args:
        study (Study): Knows the titles.
        found (Sequence[Mechanism]): Of the screening.
        path (str): PNG to write.

    Returns:
        bool: Whether there was anything to draw.
    """
    rows = [row for row in found if row.clouds and (row.term is None or study.terms[row.term].kind == 'topology')]
    if not rows:
        return False
    keys = [key for key in rows[0].clouds if key.startswith('ripsnet_error')]
    with _column(path, 9.5, 0.6 + 2.7 * len(keys), 'epoch', nrows=len(keys)) as axes:
        for axis, key in zip(axes, keys):
            for place, row in enumerate(rows):
                title = study.bases[study.main_base].title if row.term is None else study.terms[row.term].title
                _line(axis, place, list(row.clouds[key]), list(row.clouds[key].values()), title)
            axis.set_ylim(bottom=0)
            _finish(axis, headline(study, key))
    return True


@contextmanager
def _column(
    path: str, width: float, height: float, label: str, sharex: bool = True, **subplots: Any
) -> Iterator[Sequence[Axes]]:
    """Give axes one above the other, with one label below them all, and write the figure at the block's end."""
    figure, axes = new_figure(width, height, squeeze=False, sharex=sharex, **subplots)
    yield axes[:, 0]
    axes[-1, 0].set_xlabel(label)
    save_figure(figure, path)


def _intervals(axis: Axes, study: Study, rows: Sequence[Comparison]) -> None:
    for place, row in enumerate(rows):
        _interval(axis, study, row, place)
    axis.set_yticks(range(len(rows)), [study.terms[str(row.term)].title for row in rows])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.axvline(0, color='black', linewidth=0.8)
    axis.grid(axis='x', alpha=0.3)


def _interval(axis: Axes, study: Study, row: Comparison, place: int) -> None:
    found, number = row.difference, KINDS.index(study.terms[str(row.term)].kind)
    if found is None:
        return
    color = COLORS[number]
    if len(found.differences) > 2:  # two seeds tell so little that their interval would be all that is seen
        axis.plot(found.student, (place, place), color=color, linewidth=3, alpha=0.5, solid_capstyle='butt')
    axis.plot(found.bootstrap, (place, place), color=color, linewidth=1.2)
    axis.plot(found.mean, place, marker=MARKERS[number], color=color, linestyle='none')


def _line(axis: Axes, place: int, epochs: Sequence[int], values: Sequence[float], title: str) -> None:
    color, dash = line_style(place)
    axis.plot(epochs, values, color=color, linestyle=dash, linewidth=1.6, label=title)


def _finish(axis: Axes, label: str) -> None:
    axis.set_ylabel(label)
    axis.grid(alpha=0.3)
    axis.legend(loc='center left', bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=8)
