"""The comparison of networks as a table for the terminal."""

from collections.abc import Sequence
from typing import Any

from topkd.analysis.cost.measure import scaled


def table(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Format a comparison, one line a network.

    Args:
        rows (Sequence[dict]): From :func:`topkd.analysis.networks.compare.compare`.

    Returns:
        list[list[str]]: The heading, then a line a network; latencies as 'median (least-greatest)'.

    Example:
        >>> row = dict(
        ...     name='small',
        ...     parameters=1200,
        ...     weights_mb=0.005,
        ...     operations=2_000_000,
        ...     metrics={'top1': 71.5},
        ...     latency_ms={'cpu': {1: [2.0, 1.9, 2.4]}},
        ...     memory_mb={'cpu': {1: 0.31}},
        ... )
        >>> for line in table([row]):
        ...     print(line)
        ['network', 'parameters', 'weights, MB', 'FLOPs', 'top1', 'cpu, batch 1: ms', 'memory, MB']
        ['small', '1.200 k', '0.005', '2.000 M', '71.50', '2.00 (1.90-2.40)', '0.3']
    """
    metrics = list(dict.fromkeys(name for row in rows for name in row['metrics']))
    places = [(device, count) for device, counts in rows[0]['latency_ms'].items() for count in counts]
    heading = ['network', 'parameters', 'weights, MB', 'FLOPs', *metrics]
    for device, count in places:
        heading += [f'{device}, batch {count}: ms', 'memory, MB']
    lines = [heading]
    for row in rows:
        line = [row['name'], scaled(row['parameters']), f'{row["weights_mb"]:.3g}', scaled(row['operations'])]
        line += [f'{row["metrics"][name]:.2f}' if name in row['metrics'] else '-' for name in metrics]
        for device, count in places:
            middle, least, greatest = row['latency_ms'][device][count]
            line += [f'{middle:.2f} ({least:.2f}-{greatest:.2f})', f'{row["memory_mb"][device][count]:.1f}']
        lines.append(line)
    return lines


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Align the columns of a table, the first to the left and the others to the right.

    Example:
        >>> print(aligned([['a', 'bb'], ['ccc', 'd']]))
        a    bb
        ccc   d
    """
    widths = [max(map(len, column)) for column in zip(*lines)]
    return '\n'.join(
        '  '.join(
            text.ljust(width) if position == 0 else text.rjust(width)
            for position, (text, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )
