"""A report as Markdown: one section for each pair and metric."""

import re
from collections.abc import Callable
from typing import Any

from topkd.utils.statistics import cell

VALIDATED = ('accuracy/', 'coco/')
DIGITS = dict(mean=6, sum=6, mse=6, bottleneck=4, bottleneck_scale_free=4, silhouette=3, davies_bouldin=3)
BEST = (
    '"Best" is the best validation of a run, which papers report although it is chosen on the test split; "last" is '
    'what a user gets. '
)


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
    environment, published = content['environment'], any(row['published'] for row in content['rows'])
    lines += [
        f'Paper: {content["source"]}.',
        *([content['note']] if content['note'] else []),
        *([f'Published: {content["published_source"]}.'] if published else []),
        *([f'Time and memory of a step relative to KD: {content["costs"]}.'] if content['costs'] else []),
        '',
        (BEST if any(metric.startswith(VALIDATED) for metric in metrics) else '')
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
    columns = _columns(rows, metric, validated, digits)
    lines += [f'| {" | ".join(columns)} |', '|---' * len(columns) + '|']
    lines += [f'| {" | ".join(text(row) for text in columns.values())} |' for row in rows]
    return lines + ['']


def _columns(rows: list[dict], metric: str, validated: bool, digits: int) -> dict[str, Callable[[dict], str]]:
    """Return the columns that these rows fill, by heading."""
    columns: dict[str, Callable[[dict], str]] = {
        '': lambda row: row['label'],
        'paper': lambda row: _number(row['paper'].get(metric), digits),
    }
    if any(metric in row['published'] for row in rows):
        columns['published'] = lambda row: _number(row['published'].get(metric), digits)
    columns['ours, best' if validated else 'ours'] = lambda row: _spread(row['best'].get(metric), digits)
    if validated:
        columns['ours, last'] = lambda row: _spread(row['last'].get(metric), digits)
    if any(metric in row.get('difference', {}) for row in rows):
        columns['ours - paper'] = lambda row: _number(row.get('difference', {}).get(metric), digits, sign=True)
    if any('minus_kd' in row for row in rows):
        columns['minus KD' + ', last' * validated] = lambda row: _number(
            row.get('minus_kd', {}).get('last', {}).get(metric), digits, sign=True
        )
    if any('paired' in row for row in rows):
        columns['paired, 95 % (t)'] = lambda row: _paired(row.get('paired', {}).get(metric), digits)
    if any('cost' in row for row in rows):
        columns['time x KD'] = lambda row: _number(row['cost'].get('time'), 2)
        columns['memory x KD'] = lambda row: _number(row['cost'].get('memory'), 2)
    columns['runs'] = lambda row: row.get('absent') or f'{len(row["runs"])} of {row["planned"]}'
    return columns


def _number(value: float | None, digits: int, sign: bool = False) -> str:
    if value is None:
        return '-'
    rounded = round(value, digits) + 0.0  # -0.0 becomes 0.0
    return f'{rounded:{"+" if sign else ""}.{digits}f}'


def _paired(value: dict[str, Any] | None, digits: int) -> str:
    """Format the standard deviation of paired differences and the interval of their mean."""
    if value is None:
        return '-'
    low, high = value['student']
    return f'± {value["deviation"]:.{digits}f}, {low:+.{digits}f} to {high:+.{digits}f}'


def _spread(value: dict[str, float] | None, digits: int) -> str:
    return cell(value['mean'], value.get('std'), digits) if value else '-'
