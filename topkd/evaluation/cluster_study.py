"""Cluster scores of several networks over draws of classes, in the plane of UMAP and in the space of the embeddings."""
from typing import Callable, Dict, List, NamedTuple, Sequence

import numpy as np

from topkd.evaluation.cluster_scores import SCORES, cluster_scores
from topkd.evaluation.embeddings import Embeddings
from topkd.evaluation.summary import mean_and_deviation

Place = Callable[[np.ndarray, int], np.ndarray]


class ClusterStudy(NamedTuple):
    """Scores by space, network and draw, and where the first draw's images lie in each space (by space and network)."""
    scores: Dict[str, Dict[str, List[Dict[str, float]]]]
    first: Dict[str, Dict[str, np.ndarray]]


def study_clusters(embeddings: Embeddings, drawn: Sequence[np.ndarray], spaces: Dict[str, Place],
                   say: Callable[[str], None] = lambda text: None) -> ClusterStudy:
    """Score the images of every draw's classes in every space.

    Args:
        embeddings (Embeddings): Of all images.
        drawn (Sequence[np.ndarray]): Classes of each draw, the same for all networks, see
            :func:`topkd.evaluation.cluster_scores.draw_classes`.
        spaces (dict): By name, a function of points (n, d) and the number of the draw that returns points (n, k).
        say (Callable): Is told of progress. Defaults to silence.

    Source: Table 21.
    """
    study = ClusterStudy({space: {name: [] for name in embeddings.points} for space in spaces}, {space: {} for space in spaces})
    for number, classes in enumerate(drawn):
        members = np.isin(embeddings.labels, classes)
        for name, points in embeddings.points.items():
            for space, place in spaces.items():
                placed = place(points[members], number)
                study.scores[space][name].append(cluster_scores(placed, embeddings.labels[members]))
                study.first[space].setdefault(name, placed)
        say(f'draw {number + 1} of {len(drawn)}')
    return study


def summarize_study(study: ClusterStudy) -> Dict[str, Dict[str, dict]]:
    """Return all scores as plain values: by space, network and score a dict of ``mean``, ``std`` over draws, and ``draws``."""
    return {space: {name: {score: _summary([draw[score] for draw in draws]) for score in SCORES}
                    for name, draws in networks.items()} for space, networks in study.scores.items()}


def _summary(values: List[float]) -> dict:
    mean, deviation = mean_and_deviation(values)
    return dict(mean=mean, std=deviation, draws=values)
