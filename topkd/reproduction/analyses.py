"""Numbers of finished analyses by network and metric, whichever tool of ``tools/analysis`` wrote them."""

from collections.abc import Callable
from pathlib import Path

from topkd.analysis.bottleneck.record import read_distances
from topkd.analysis.embeddings.record import read_scores
from topkd.analysis.images.record import read_images
from topkd.analysis.record import Figures

READERS: dict[str, Callable[[Path], Figures]] = {
    'analysis/images.py': read_images,
    'analysis/bottleneck.py': read_distances,
    'analysis/embeddings.py': read_scores,
}


def analysis_figures(tool: str, folder: Path) -> Figures:
    """Read the figures of a finished analysis.

    Args:
        tool (str): A key of ``READERS``.
        folder (Path): Where it wrote.

    Returns:
        dict: Mean by network ('teacher' and the variants) and metric.
    """
    return READERS[tool](folder)
