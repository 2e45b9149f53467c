"""Scores of how well networks separate classes: silhouette, Calinski-Harabasz and Davies-Bouldin (Table 21)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from topkd.analysis.embeddings.collect import Embeddings
from topkd.utils.statistics import mean_and_deviation

SCORES = ('silhouette', 'calinski_harabasz', 'davies_bouldin')
Place = Callable[[np.ndarray, int], np.ndarray]


def cluster_scores(points: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    r"""Compute three scores of labeled points, by scikit-learn, with Euclidean distances.

    - ``silhouette``: mean of (b - a) / max(a, b), a and b a point's mean distance to its own and to the nearest other
      class; from -1 to 1, greater is better.
    - ``calinski_harabasz``: scatter between over scatter within classes, each by its degrees of freedom; greater is
      better.
    - ``davies_bouldin``: mean over classes of the greatest (s_i + s_j) / d_ij, s the mean distance to the center;
      smaller is better.

    Args:
        points (np.ndarray): (N, d).
        labels (np.ndarray): (N, ), at least 2 classes.

    Returns:
        dict: One number a score.

    Raises:
        ValueError: If there are fewer than two classes, or a class has one point only.

    Example:
        >>> scores = cluster_scores(np.array([[0.0], [1.0], [10.0], [11.0]]), np.array([0, 0, 1, 1]))
        >>> {name: round(value, 3) for name, value in scores.items()}
        {'silhouette': 0.9, 'calinski_harabasz': 200.0, 'davies_bouldin': 0.1}

    Source: Table 21.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise ValueError(f'cluster scores need 2 classes at least, got {len(classes)}: raise --classes')
    if counts.min() < 2:
        raise ValueError(
            f'cluster scores need 2 images a class, class {classes[counts.argmin()]} has 1: take in more images'
        )
    from sklearn import metrics  # takes a second to import

    points = np.asarray(points, np.float64)
    return {name: float(getattr(metrics, f'{name}_score')(points, labels)) for name in SCORES}


def draw_classes(labels: np.ndarray, classes: int, draws: int, seed: int) -> list[np.ndarray]:
    """Draw sets of classes, without repetition inside a set.

    Args:
        labels (np.ndarray): (N, ) classes of the images.
        classes (int): Classes of a draw.
        draws (int): Number of draws.
        seed (int): The same seed draws the same classes.

    Returns:
        list[np.ndarray]: Ascending class numbers (classes, ), one array a draw.

    Raises:
        ValueError: If fewer classes occur than asked for, or one of those drawn has a single image.

    Example:
        >>> draw_classes(np.repeat([3, 5, 8], 2), classes=2, draws=3, seed=0)[0].tolist()
        [5, 8]
    """
    if classes < 2 or draws < 1:
        raise ValueError(
            f'cluster scores need 2 classes and 1 draw at least, got {classes} and {draws}: correct --classes and '
            '--draws'
        )
    present, counts = np.unique(labels, return_counts=True)
    if len(present) < classes:
        raise ValueError(
            f'the images are of {len(present)} classes, {classes} were asked for: lower --classes, or take in more '
            'images'
        )
    generator = np.random.default_rng(seed)
    drawn = [np.sort(generator.choice(present, classes, replace=False)) for _ in range(draws)]
    single = np.intersect1d(present[counts < 2], np.concatenate(drawn))
    if len(single):
        raise ValueError(
            f'cluster scores need 2 images a class, these have 1: {", ".join(map(str, single[:10]))}; take in more '
            'images (--batches)'
        )
    return drawn


class ClusterStudy(NamedTuple):
    """Scores by space, network and draw, and where the first draw's images lie in each space (by space and network).

    Example:
        >>> study = ClusterStudy({'features': {'teacher': [dict.fromkeys(SCORES, 0.5)]}}, first={})
        >>> list(study.scores['features'])
        ['teacher']
    """

    scores: dict[str, dict[str, list[dict[str, float]]]]
    first: dict[str, dict[str, np.ndarray]]


def study_clusters(
    embeddings: Embeddings,
    drawn: Sequence[np.ndarray],
    spaces: dict[str, Place],
    say: Callable[[str], None] = lambda text: None,
) -> ClusterStudy:
    """Score the images of every draw's classes in every space.

    Args:
        embeddings (Embeddings): Of all images.
        drawn (Sequence[np.ndarray]): Classes of each draw, the same for all networks, see :func:`draw_classes`.
        spaces (dict): By name, a function of points (n, d) and the number of the draw that returns points (n, k).
        say (Callable): Is told of progress. Defaults to silence.

    Example:
        >>> embeddings = Embeddings(dict(net=np.array([[0.0], [1.0], [10.0], [11.0]])), np.array([0, 0, 1, 1]))
        >>> study = study_clusters(embeddings, [np.array([0, 1])], dict(features=lambda points, draw: points))
        >>> round(study.scores['features']['net'][0]['silhouette'], 3)
        0.9

    Source: Table 21.
    """
    study = ClusterStudy(
        {space: {name: [] for name in embeddings.points} for space in spaces}, {space: {} for space in spaces}
    )
    for number, classes in enumerate(drawn):
        members = np.isin(embeddings.labels, classes)
        for name, points in embeddings.points.items():
            for space, place in spaces.items():
                placed = place(points[members], number)
                study.scores[space][name].append(cluster_scores(placed, embeddings.labels[members]))
                study.first[space].setdefault(name, placed)
        say(f'draw {number + 1} of {len(drawn)}')
    return study


def summarize_study(study: ClusterStudy) -> dict[str, dict[str, dict]]:
    """Return all scores as plain values.

    Args:
        study (ClusterStudy): See :func:`study_clusters`.

    Returns:
        dict: By space, network and score a dict of ``mean``, ``std`` over draws, and ``draws``.

    Example:
        >>> study = ClusterStudy({'features': {'teacher': [dict.fromkeys(SCORES, 0.5)]}}, {})
        >>> summarize_study(study)['features']['teacher']['silhouette']
        {'mean': 0.5, 'std': None, 'draws': [0.5]}
    """
    return {
        space: {
            name: {score: _summary([draw[score] for draw in draws]) for score in SCORES}
            for name, draws in networks.items()
        }
        for space, networks in study.scores.items()
    }


def _summary(values: list[float]) -> dict:
    mean, deviation = mean_and_deviation(values)
    return dict(mean=mean, std=deviation, draws=values)
