"""The file ``diagram.json``: the diagrams of every cloud by homology dimension, and the spec of their images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from topkd.analysis.diagram.cloud_topology import CloudTopology
from topkd.analysis.record_file import write_record


def write_diagrams(
    folder: str | Path, origin: Mapping[str, Any], clouds: Mapping[str, CloudTopology], spec: Mapping[str, Any] | None
) -> str:
    """Write all diagrams and return the file.

    Args:
        folder (str | Path): Where to.
        origin (Mapping): See :func:`topkd.analysis.record_file.write_record`.
        clouds (Mapping): By name, see :func:`topkd.analysis.diagram.cloud_topology.cloud_topology`.
        spec (Mapping, optional): Of the images; None if there are none.

    Example:
        >>> import numpy as np
        >>> write_diagrams('.', dict(seed=0), dict(cloud=CloudTopology({0: np.array([[0.0, 1.0]])}, None)), None)
        'diagram.json'
    """
    diagrams = {
        name: {str(dim): diagram.tolist() for dim, diagram in cloud.diagrams.items()} for name, cloud in clouds.items()
    }
    return write_record(folder, 'diagram', origin, dict(spec=spec, diagrams=diagrams))
