"""The file ``embeddings.json``: the classes of every draw, and the scores of all networks by space."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from topkd.analysis.record_file import Figures, read_record, write_record

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
        origin (Mapping): See :func:`topkd.analysis.record_file.write_record`.
        images (int): Number of images.
        drawn (Sequence[Sequence[str]]): Names of the classes of each draw.
        scores (Mapping): See :func:`topkd.analysis.embeddings.cluster_scores.summarize_study`.

    Example:
        >>> scores = dict(umap=dict(teacher=dict(silhouette=dict(mean=0.5, std=None, draws=[0.5]))))
        >>> write_scores('.', dict(seed=0), images=100, drawn=[['apple', 'bear']], scores=scores)
        'embeddings.json'
    """
    return write_record(folder, NAME, origin, dict(images=images, drawn=drawn, scores=scores))


def read_scores(folder: str | Path) -> Figures:
    """Read the mean scores in UMAP's plane, which are the paper's, by network.

    Example:
        >>> scores = dict(umap=dict(teacher=dict(silhouette=dict(mean=0.5, std=None, draws=[0.5]))))
        >>> path = write_scores('.', dict(seed=0), images=100, drawn=[['apple', 'bear']], scores=scores)
        >>> read_scores('.')
        {'teacher': {'silhouette': 0.5}}
    """
    networks = read_record(folder, NAME)['scores']['umap']
    return {name: {score: value['mean'] for score, value in scores.items()} for name, scores in networks.items()}
