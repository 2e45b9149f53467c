"""The file ``images.json``: spec of the images, and how far exact and approximated ones are apart by network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from topkd.analysis.record_file import Figures, read_record, write_record

NAME = 'images'


def write_images(
    folder: str | Path,
    origin: Mapping[str, Any],
    networks: Mapping[str, Mapping[str, float]],
    spec: Mapping[str, Any],
    spec_source: str,
) -> str:
    """Write the numbers of all networks' images and return the file.

    Args:
        folder (str | Path): Where to.
        origin (Mapping): See :func:`topkd.analysis.record_file.write_record`.
        networks (Mapping): By network, see :func:`topkd.analysis.images.network_images.image_figures`.
        spec (Mapping): :meth:`topkd.topology.PersistenceImager.spec` of the exact images.
        spec_source (str): Where the spec comes from, in words.

    Example:
        >>> write_images(
        ...     '.', dict(seed=0), dict(teacher=dict(mse=0.01, l2=2.0)), dict(scale=1.0), 'the first checkpoint'
        ... )
        'images.json'
    """
    return write_record(folder, NAME, origin, dict(spec=spec, spec_source=spec_source, networks=networks))


def read_images(folder: str | Path) -> Figures:
    """Read ``mse`` and ``l2`` of approximated images against exact ones by network; empty if there were none.

    Example:
        >>> networks = dict(teacher=dict(mse=0.01, l2=2.0, outside=0.0))
        >>> path = write_images('.', dict(seed=0), networks, dict(scale=1.0), 'the first checkpoint')
        >>> read_images('.')
        {'teacher': {'mse': 0.01, 'l2': 2.0}}
    """
    networks = read_record(folder, NAME)['networks']
    return {name: dict(mse=values['mse'], l2=values['l2']) for name, values in networks.items() if 'mse' in values}
