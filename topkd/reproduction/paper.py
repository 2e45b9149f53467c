"""The paper's numbers, and published ones of later methods, as data."""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path


@lru_cache
def _content(name: str = 'paper') -> dict:
    return json.loads(Path(__file__).with_name(f'{name}.json').read_text(encoding='utf-8'))


def source() -> str:
    """Return where the numbers come from."""
    return _content()['source']


def published_source() -> str:
    """Return where the numbers of later methods come from."""
    return _content('published')['source']


def published_values(pair: str) -> dict[str, dict[str, float]]:
    """Return published numbers of methods that are younger than the paper or not in its tables.

    Args:
        pair (str): Name of a config, such as 'resnet56-resnet20_cifar100'.

    Returns:
        dict: By variant and metric; empty if none is known.

    Examples:
        >>> published_values('resnet56-resnet20_cifar100')['DKD']
        {'accuracy/top1': 71.97}
    """
    content = _content('published')
    rows = content['values'].get(pair, {})
    return {name: _by_metric(content['metrics'], values) for name, values in rows.items()}


def paper_values(table: str, pair: str, probe: str = '') -> dict[str, dict[str, float]]:
    """Return the paper's numbers of a pair.

    Args:
        table (str): 'table1' to 'table21', or 'figure3'.
        pair (str): Name of a config, such as 'resnet56-resnet20_cifar100'.
        probe (str): Of a transfer, the config of ``configs/transfer``. Defaults to ''.

    Returns:
        dict: By network or variant ('teacher', 'plain', 'KD', 'TopKD', other methods, stems of ``configs/ablations``)
            and
        metric; empty where the paper has no such row.
    """
    content = _content()['tables'].get(table, {})
    metrics: Sequence[str] = content.get('metrics', [])
    rows = content.get('values', {}).get(f'{pair}, {probe}' if probe else pair, {})
    return {name: _by_metric(metrics, values) for name, values in rows.items()}


def note(table: str) -> str | None:
    """Return what must be known of the paper's numbers of a table."""
    return _content()['tables'].get(table, {}).get('note')


def _by_metric(metrics: Sequence[str], values: list[float | None]) -> dict[str, float]:
    return {metric: value for metric, value in zip(metrics, values) if value is not None}
