"""Cluster scores against hand-derived cases and their formulas, draws of classes, means over draws."""

import numpy as np
import pytest

from topkd.analysis.embeddings.cluster_scores import cluster_scores, draw_classes, study_clusters, summarize_study
from topkd.analysis.embeddings.collect import Embeddings
from topkd.utils.statistics import cell, mean_and_deviation


def formulas(points: np.ndarray, labels: np.ndarray) -> dict:
    """Compute the three scores as their definitions read."""
    classes = np.unique(labels)
    groups = [points[labels == number] for number in classes]
    centers = [group.mean(0) for group in groups]
    widths = []
    for own, group in enumerate(groups):
        for point in group:
            means = [
                np.linalg.norm(other - point, axis=1).sum() / (len(other) - (place == own))
                for place, other in enumerate(groups)
            ]
            inside, outside = means[own], min(means[:own] + means[own + 1 :])
            widths.append((outside - inside) / max(inside, outside))
    between = sum(len(group) * ((center - points.mean(0)) ** 2).sum() for group, center in zip(groups, centers))
    within = sum(((group - center) ** 2).sum() for group, center in zip(groups, centers))
    spread = [np.linalg.norm(group - center, axis=1).mean() for group, center in zip(groups, centers)]
    worst = [
        max((spread[i] + spread[j]) / np.linalg.norm(centers[i] - centers[j]) for j in range(len(classes)) if j != i)
        for i in range(len(classes))
    ]
    return dict(
        silhouette=np.mean(widths),
        davies_bouldin=np.mean(worst),
        calinski_harabasz=(between / (len(classes) - 1)) / (within / (len(points) - len(classes))),
    )


def test_two_pairs_on_a_line():
    scores = cluster_scores(np.array([[0.0], [1], [10], [11]]), np.array([0, 0, 1, 1]))
    # a = 1; b = 10.5 for the outer and 9.5 for the inner points; centers 10 apart with spread 0.5; scatter 100 and 1
    assert scores['silhouette'] == pytest.approx((9.5 / 10.5 + 8.5 / 9.5) / 2)
    assert scores['calinski_harabasz'] == pytest.approx((100 / 1) / (1 / 2))
    assert scores['davies_bouldin'] == pytest.approx(0.1)


@pytest.mark.parametrize('width, classes', [(2, 2), (5, 4)])
def test_scores_are_their_formulas(width, classes):
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes) * 7, [5 + number for number in range(classes)])
    points = (generator.normal(size=(len(labels), width)) + labels[:, None] / 5).astype(np.float32)
    assert cluster_scores(points, labels) == pytest.approx(formulas(points.astype(float), labels), rel=1e-6)


def test_too_few_classes_or_images_for_scores():
    with pytest.raises(ValueError, match='need 2 classes at least, got 1: raise --classes'):
        cluster_scores(np.zeros((4, 2)), np.zeros(4))
    with pytest.raises(ValueError, match='need 2 images a class, class 5 has 1'):
        cluster_scores(np.zeros((4, 2)), np.array([3, 3, 3, 5]))


def test_draws_are_seeded_and_of_distinct_classes():
    labels = np.repeat(np.arange(30) * 2, 3)
    drawn = draw_classes(labels, classes=10, draws=6, seed=1)
    assert len(drawn) == 6 and all(
        len(np.unique(classes)) == 10 and np.isin(classes, labels).all() for classes in drawn
    )
    assert all(np.array_equal(one, two) for one, two in zip(drawn, draw_classes(labels, 10, 6, 1)))
    assert not np.array_equal(drawn[0], drawn[1]) and not np.array_equal(drawn[0], draw_classes(labels, 10, 1, 2)[0])
    assert np.array_equal(draw_classes(labels, 30, 1, 0)[0], np.unique(labels))


@pytest.mark.parametrize(
    'labels, classes, draws, message',
    [
        ([0, 0, 1, 1, 2, 2], 4, 1, 'are of 3 classes, 4 were asked for: lower --classes'),
        ([0, 0, 1, 1, 2], 3, 1, 'need 2 images a class, these have 1: 2; take in more images'),
        ([0, 0, 1, 1], 1, 1, 'need 2 classes and 1 draw at least, got 1 and 1'),
        ([0, 0, 1, 1], 2, 0, 'need 2 classes and 1 draw at least, got 2 and 0'),
    ],
)
def test_draws_that_cannot_be_made(labels, classes, draws, message):
    with pytest.raises(ValueError, match=message):
        draw_classes(np.array(labels), classes, draws, 0)


def test_study_scores_every_network_on_the_same_images():
    generator = np.random.default_rng(0)
    labels = np.tile(np.arange(4), 6)
    embeddings = Embeddings(
        dict(teacher=generator.normal(size=(24, 3)) + labels[:, None], student=generator.normal(size=(24, 2))), labels
    )
    drawn = [np.array([0, 2]), np.array([1, 2])]
    calls = []
    spaces = dict(features=lambda points, draw: points, first=lambda points, draw: calls.append(draw) or points[:, :1])
    study = study_clusters(embeddings, drawn, spaces)
    kept = np.isin(labels, [0, 2])
    assert calls == [0, 0, 1, 1]
    np.testing.assert_array_equal(study.first['features']['student'], embeddings.points['student'][kept])
    summary = summarize_study(study)
    expected = [
        cluster_scores(embeddings.points['teacher'][np.isin(labels, classes)][:, :1], labels[np.isin(labels, classes)])
        for classes in drawn
    ]
    found = summary['first']['teacher']['silhouette']
    one, two = (scores['silhouette'] for scores in expected)
    assert found['draws'] == [one, two] and found['mean'] == pytest.approx((one + two) / 2)
    assert found['std'] == pytest.approx(abs(one - two) / 2**0.5)


def test_mean_and_deviation():
    assert mean_and_deviation([1.0, 2.0, 6.0]) == (pytest.approx(3.0), pytest.approx(7**0.5))
    assert mean_and_deviation([2.0]) == (2.0, None)
    assert cell(1.23456, 0.5) == '1.235 ± 0.500' and cell(2.0, None, 1) == '2.0'
