"""The file ``embeddings.json``: the classes of every draw, and the scores of all networks by space."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from topkd.analysis.record import Figures, read_record, write_record

NAME = 'embeddings'


def write_scores(
    folder: str | Path,
    origin: Mapping[str, Any],
    images: int,
    drawn: Sequence[Sequence[str]],
    scores: Mapping[str, Mapping[str, Mapping[str, dict]]],
) -> str:
    """Write all scores and return the file.

    Args:
        folder (str | Path): Where to.
        origin (Mapping): See :func:`topkd.analysis.record.write_record`.
        images (int): Number of images.
        drawn (Sequence[Sequence[str]]): Names of the classes of each draw.
        scores (Mapping): See :func:`topkd.analysis.embeddings.cluster_scores.summarize_study`.
    """
    return write_record(folder, NAME, origin, dict(images=images, drawn=drawn, scores=scores))


def read_scores(folder: str | Path) -> Figures:
    """Read the mean scores in UMAP's plane, which are the paper's, by network."""
    networks = read_record(folder, NAME)['scores']['umap']
    return {name: {score: value['mean'] for score, value in scores.items()} for name, scores in networks.items()}
