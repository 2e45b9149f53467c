"""The file ``bottleneck.json``: the clouds, and the distances of every network, dimension and scale."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from topkd.analysis.bottleneck.diagrams import SCALES
from topkd.analysis.bottleneck.distances import Distances
from topkd.analysis.record_file import Figures, read_record, write_record

NAME = 'bottleneck'
METRICS = dict(zip(SCALES, ('bottleneck', 'bottleneck_scale_free')))


def write_distances(
    folder: str | Path, origin: Mapping[str, Any], clouds: Mapping[str, Any], distances: Sequence[Distances]
) -> str:
    """Write all distances and return the file.

    Args:
        folder (str | Path): Where to.
        origin (Mapping): See :func:`topkd.analysis.record_file.write_record`.
        clouds (Mapping): What the clouds are, as plain values.
        distances (Sequence[Distances]): See :func:`topkd.analysis.bottleneck.distances.distances_to_teacher`.

    Example:
        >>> write_distances('.', dict(seed=0), dict(), [Distances('KD', 0, 'as is', [1.0], [2.0])])
        'bottleneck.json'
    """
    return write_record(folder, NAME, origin, dict(clouds=clouds, distances=[row.plain() for row in distances]))


def read_distances(folder: str | Path) -> Figures:
    """Read mean distances in the first homology dimension by network: ``bottleneck`` and ``bottleneck_scale_free``.

    Example:
        >>> path = write_distances('.', dict(seed=0), dict(), [Distances('KD', 0, 'as is', [1.0], [2.0])])
        >>> read_distances('.')
        {'KD': {'bottleneck': 1.0}}
    """
    rows = read_record(folder, NAME)['distances']
    figures: Figures = {}
    for row in rows:
        if row['homology_dim'] == rows[0]['homology_dim']:
            figures.setdefault(row['network'], {})[METRICS[row['scale']]] = row['mean']
    return figures
