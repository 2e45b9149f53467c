"""The file ``cost.json``: the processor, and what an image costs by every route for each size of clouds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from topkd.analysis.record_file import write_record


def write_costs(
    folder: str | Path, origin: Mapping[str, Any], device: str, repeats: int, costs: Sequence[Mapping[str, Any]]
) -> str:
    """Write all costs and return the file.

    Args:
        folder (str | Path): Where to.
        origin (Mapping): See :func:`topkd.analysis.record_file.write_record`.
        device (str): Name of the processor, see :func:`topkd.analysis.cost.route_times.device_name`.
        repeats (int): Turns that counted.
        costs (Sequence[Mapping]): See :func:`topkd.analysis.cost.measure.measure_cost`.

    Example:
        >>> write_costs('.', dict(seed=0), 'a processor', repeats=7, costs=[])
        'cost.json'
    """
    content = dict(device=device, threads=torch.get_num_threads(), repeats=repeats, costs=costs)
    return write_record(folder, 'cost', origin, content)
