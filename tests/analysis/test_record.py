"""What analyses write is what tables read: every subject's file, written and read back."""

import json

import numpy as np
import pytest

from topkd.analysis.bottleneck.distances import Distances
from topkd.analysis.bottleneck.record import read_distances, write_distances
from topkd.analysis.cost.record import write_costs
from topkd.analysis.diagram.cloud_topology import CloudTopology
from topkd.analysis.diagram.record import write_diagrams
from topkd.analysis.embeddings.cluster_scores import SCORES, ClusterStudy, summarize_study
from topkd.analysis.embeddings.record import read_scores, write_scores
from topkd.analysis.image_error import write_errors
from topkd.analysis.images.record import read_images, write_images
from topkd.analysis.run_history.history import History
from topkd.analysis.run_history.record import write_histories
from topkd.reproduction.analysis_job import READERS

ORIGIN = dict(command='tool.py CONFIG', seed=3)


def test_images(tmp_path):
    networks = dict(teacher=dict(mse=0.5, l2=2.0, clouds=4), plain=dict(clouds=4, teacher_exact=0.1))
    path = write_images(tmp_path, ORIGIN, networks, dict(scale=2.0), 'of the RipsNet file')
    content = json.loads((tmp_path / 'images.json').read_text())
    assert path == str(tmp_path / 'images.json') and list(content)[:2] == ['command', 'seed']
    assert content['spec'] == dict(scale=2.0) and content['networks'] == networks
    # a network without approximated images has no error
    assert read_images(tmp_path) == dict(teacher=dict(mse=0.5, l2=2.0))
    assert READERS['analysis/images.py'](tmp_path) == read_images(tmp_path)


def test_distances_of_the_first_dimension_are_quoted(tmp_path):
    rows = [
        Distances(name, dim, scale, [value, value + 2], [9.0, 9.0])
        for name, dim, scale, value in (
            ('plain', 1, 'as is', 1.0),
            ('KD', 1, 'as is', 2.0),
            ('plain', 1, 'scale-free', 3.0),
            ('plain', 0, 'as is', 50.0),
        )
    ]
    write_distances(tmp_path, ORIGIN, dict(num_points=8), rows)
    content = json.loads((tmp_path / 'bottleneck.json').read_text())
    assert content['clouds'] == dict(num_points=8) and [row['mean'] for row in content['distances']] == [2, 3, 4, 51]
    assert read_distances(tmp_path) == dict(plain=dict(bottleneck=2, bottleneck_scale_free=4), KD=dict(bottleneck=3))
    assert READERS['analysis/bottleneck.py'](tmp_path) == read_distances(tmp_path)


def test_scores_in_the_plane_of_umap_are_quoted(tmp_path):
    draws = [dict.fromkeys(SCORES, 1.0), dict.fromkeys(SCORES, 2.0)]
    study = ClusterStudy(dict(features=dict(teacher=draws[:1]), umap=dict(teacher=draws)), {})
    write_scores(tmp_path, ORIGIN, 64, [['cat', 'dog']], summarize_study(study))
    content = json.loads((tmp_path / 'embeddings.json').read_text())
    assert content['images'] == 64 and content['drawn'] == [['cat', 'dog']]
    assert read_scores(tmp_path) == dict(teacher=dict.fromkeys(SCORES, 1.5))
    assert READERS['analysis/embeddings.py'](tmp_path) == read_scores(tmp_path)


def test_files_that_no_table_reads(tmp_path):
    diagram = np.array([[0.0, 1.0]])
    run, nothing = History(np.array([1, 2]), np.array([1, 1]), np.array([0.5, 1.5]), 2), np.array([])
    paths = [
        write_diagrams(tmp_path, ORIGIN, dict(a=CloudTopology({0: diagram}, None)), None),
        write_costs(tmp_path, ORIGIN, 'a processor', 7, [dict(flops=1)]),
        write_errors(tmp_path, ORIGIN, dict(scale=1.0), dict(RipsNet=dict(teacher=dict(mse=0.1)))),
        write_histories(
            tmp_path, 'share', ORIGIN, dict(share=dict(a=run, silent=History(nothing, nothing, nothing, None)))
        ),
    ]
    assert [path.rsplit('/')[-1] for path in paths] == ['diagram.json', 'cost.json', 'image_error.json', 'share.json']
    diagrams, costs, errors, histories = (json.load(open(path)) for path in paths)
    assert diagrams == dict(ORIGIN, spec=None, diagrams=dict(a={'0': [[0, 1]]}))
    assert (costs['device'], costs['repeats'], costs['costs']) == ('a processor', 7, [dict(flops=1)])
    assert errors['errors']['RipsNet']['teacher']['mse'] == 0.1 and errors['spec'] == dict(scale=1.0)
    # a run that did not log a scalar has no summary of it
    assert list(histories['summaries']['share']) == ['a'] and histories['histories']['share']['a']['values'] == [
        0.5,
        1.5,
    ]
    assert histories['histories']['share']['silent']['values'] == []


def test_an_analysis_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_images(tmp_path)
    assert list(tmp_path.iterdir()) == []
