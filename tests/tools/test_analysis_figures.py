"""The analyses of embeddings, bottleneck distances and diagrams as a user calls them: their numbers, files and messages."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.cluster.hierarchy import linkage
from sklearn.metrics import silhouette_score

from topkd.analysis.bottleneck.distances import bottleneck_distances
from topkd.datasets.digits import Digits
from topkd.models import RipsNet
from topkd.utils.checkpoint import save_file


@pytest.fixture
def config(digits_config, random_networks, tmp_path):
    """Write a pair's config with clouds of 16 digits, and return its path."""
    options = {'model.losses.topology.cloud.num_points': 16, 'model.teacher.checkpoint': str(tmp_path / 'teacher.pth')}
    cfg = digits_config('topkd/resnet20-resnet8_digits_exact.py')
    cfg.merge_from_dict(options)
    cfg.pop('work_dir')
    cfg.dump(tmp_path / 'pair.py')
    return str(tmp_path / 'pair.py')


def all_features(digits_config, network) -> tuple:
    """Return a network's features of the 64 test digits, and their labels."""
    cfg = digits_config('baselines/resnet8_digits.py')
    data = Digits('test', indices=64)
    mean, std = (torch.tensor(cfg.data_preprocessor[key])[:, None, None] for key in ('mean', 'std'))
    inputs = (data.images.float() - mean) / std
    with torch.no_grad():
        return network.extract_feat(inputs)[0].numpy(), data.labels.numpy()


def test_scores_in_the_space_of_the_embeddings(call, config, random_networks, digits_config, monkeypatch):
    monkeypatch.setitem(sys.modules, 'umap', None)  # not needed
    code, out, err = call(
        'analysis/embeddings.py',
        config,
        'plain=plain.pth',
        'KD=KD.pth',
        '--space',
        'features',
        '--draws',
        '2',
        '--classes',
        '3',
        '--seed',
        '5',
        '--out',
        'out',
    )
    assert code == 0, err
    report = json.load(open('out/embeddings.json'))
    assert report['seed'] == 5 and report['images'] == 64 and 'embeddings.py' in report['command']
    assert list(report['scores']) == ['features'] and list(report['scores']['features']) == ['teacher', 'plain', 'KD']
    for name, network in random_networks.items():
        points, labels = all_features(digits_config, network)
        expected = []
        for classes in report['drawn']:
            kept = np.isin(labels, [int(word) for word in classes])
            expected.append(silhouette_score(points[kept].astype(float), labels[kept]))
        found = report['scores']['features'][name]['silhouette']
        assert found['draws'] == pytest.approx(expected, abs=1e-4)
        row = next(line for line in out.splitlines() if line.startswith(name))
        assert f'{found["mean"]:.3f} ± {found["std"]:.3f}' in row
    assert open('out/embeddings.png', 'rb').read(4) == b'\x89PNG' and out.strip().endswith('out/embeddings.png')


class FlatUMAP:
    """Stand in for UMAP: the first two features, so that its scores can be computed by hand."""

    made = []

    def __init__(self, **options):
        self.made.append(options)

    def fit_transform(self, points):
        return points[:, :2]


def test_scores_in_the_plane_of_umap(call, config, random_networks, digits_config, monkeypatch):
    umap = ModuleType('umap')
    umap.UMAP = FlatUMAP
    monkeypatch.setitem(sys.modules, 'umap', umap)
    FlatUMAP.made.clear()
    code, out, err = call(
        'analysis/embeddings.py',
        config,
        'plain=plain.pth',
        '--draws',
        '2',
        '--classes',
        '4',
        '--seed',
        '3',
        '--neighbors',
        '7',
        '--min-dist',
        '0.2',
        '--out',
        'out',
    )
    assert code == 0, err
    assert [made['random_state'] for made in FlatUMAP.made] == [3, 3, 4, 4]
    assert FlatUMAP.made[0] == dict(n_neighbors=7, min_dist=0.2, random_state=3, n_jobs=1)
    report = json.load(open('out/embeddings.json'))
    assert list(report['scores']) == ['umap', 'features']
    points, labels = all_features(digits_config, random_networks['plain'])
    kept = np.isin(labels, [int(word) for word in report['drawn'][1]])
    expected = silhouette_score(points[kept, :2].astype(float), labels[kept])
    assert report['scores']['umap']['plain']['silhouette']['draws'][1] == pytest.approx(expected, abs=1e-4)
    assert 'in the plane of UMAP' in out and 'in the space of the embeddings' in out


def test_embeddings_on_bad_input(call, config, random_networks, monkeypatch):
    monkeypatch.setitem(sys.modules, 'umap', None)
    tool = ('analysis/embeddings.py', config, 'plain=plain.pth')
    code, out, err = call(*tool)
    assert code == 1 and 'pip install topkd[analysis]' in err and '--space features' in err and 'Traceback' not in err
    for options, message in {
        ('--classes', '11'): 'are of 10 classes, 11 were asked for: lower --classes',
        ('--loss', 'kd'): "no topology loss 'kd' (it has: topology)",
        (
            '--cfg-options',
            'test_dataloader.dataset.indices=8',
            '--classes',
            '5',
        ): 'cluster scores need 2 images a class',
    }.items():
        code, out, err = call(*tool, '--space', 'features', *options)
        assert code == 1 and message in err, err
    code, out, err = call('analysis/embeddings.py', config, 'teacher=plain.pth', '--space', 'features')
    assert code == 1 and "'teacher' is the name of the config's own teacher" in err


def test_bottleneck_distances(call, config, random_networks, digits_config):
    code, out, err = call(
        'analysis/bottleneck.py', config, 'plain=plain.pth', 'same=KD.pth', '--homology-dims', '0', '1', '--out', 'out'
    )
    assert code == 0, err
    report = json.load(open('out/bottleneck.json'))
    rows = {(row['network'], row['homology_dim'], row['scale']): row for row in report['distances']}
    assert len(rows) == 3 * 2 * 2 and rows['plain', 0, 'as is']['clouds'] == 4
    assert rows['teacher, other images', 1, 'scale-free']['clouds'] == 3
    # the order of the images is the sampler's
    order = torch.randperm(64, generator=torch.Generator().manual_seed(0)).reshape(4, 16)
    diagrams = {}
    for name in ('teacher', 'plain'):
        points = all_features(digits_config, random_networks[name])[0].astype(float)
        deaths = [linkage(points[cloud.numpy()], 'single')[:, 2] for cloud in order]
        diagrams[name] = [np.stack([np.zeros(15), death], axis=1) for death in deaths]
    expected = bottleneck_distances(diagrams['teacher'], diagrams['plain'])
    row = rows['plain', 0, 'as is']
    assert row['distances'] == pytest.approx(expected, rel=1e-3)
    assert row['mean'] == pytest.approx(np.mean(expected), rel=1e-3) and row['std'] == pytest.approx(
        np.std(expected, ddof=1), rel=1e-3
    )
    line = next(line for line in out.splitlines() if line.startswith('plain')).split()
    free = rows['plain', 0, 'scale-free']
    assert line == [
        'plain',
        '0',
        '4',
        f'{row["mean"]:.4f}',
        '±',
        f'{row["std"]:.4f}',
        f'{row["at_cap"]:.0%}',
        f'{free["mean"]:.4f}',
        '±',
        f'{free["std"]:.4f}',
        f'{free["at_cap"]:.0%}',
    ]
    greatest = [max(diagrams[name][cloud][:, 1].max() for name in diagrams) for cloud in range(4)]
    assert row['at_cap'] == np.isclose(2 * np.array(expected), greatest).mean()
    assert 'at cap: share of clouds' in out
    assert open('out/bottleneck.png', 'rb').read(4) == b'\x89PNG'


def test_bottleneck_on_bad_input(call, config, random_networks):
    code, out, err = call('analysis/bottleneck.py', config, 'plain=plain.pth', '--homology-dims', '-1')
    assert code == 1 and 'homology_dims must be' in err
    code, out, err = call(
        'analysis/bottleneck.py',
        config,
        'plain=plain.pth',
        '--cfg-options',
        'model.losses.topology.cloud.num_points=100',
    )
    assert code == 1 and 'too few for one cloud of the loss' in err
    code, out, err = call('analysis/bottleneck.py', config, 'plain=teacher.pth')
    assert code == 1 and "checkpoint 'teacher.pth' does not fit" in err


@pytest.mark.parametrize(
    'tool, students', [('bottleneck', ['plain=plain.pth']), ('diagram', []), ('images', ['plain=plain.pth'])]
)
def test_clouds_of_objects_need_the_training_split(call, config, random_networks, tool, students):
    code, out, err = call(
        f'analysis/{tool}.py', config, *students, '--cfg-options', 'model.losses.topology.cloud.type=RoICloud'
    )
    assert code == 1 and 'clouds of annotated objects need boxes' in err and 'use --split train' in err


def test_columns_of_small_numbers_stay_apart(call):
    np.savetxt('tiny.csv', 1.2345e-7 * np.random.default_rng(0).normal(size=(20, 2)), delimiter=',')
    code, out, err = call('analysis/diagram.py', 'tiny.csv', '--out', 'out')
    assert code == 0, err
    rows = [line.split() for line in out.splitlines() if line.startswith('tiny.csv')]
    assert all(len(row) == 11 and row[4] == row[7] == 'to' for row in rows), out


def test_diagram_of_a_file(call, tmp_path):
    np.savetxt('square.csv', np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), delimiter=',')
    code, out, err = call('analysis/diagram.py', 'square.csv', '--out', 'out')
    assert code == 0, err
    report = json.load(open('out/diagram.json'))
    diagrams = report['diagrams']['square.csv']
    assert np.allclose(diagrams['0'], [[0, 1]] * 3) and np.allclose(diagrams['1'], [[1, 2**0.5]])
    assert report['spec']['im_range'] == pytest.approx([0, 1, 2**0.5 - 1, 1])
    rows = [line.split() for line in out.splitlines() if line.startswith('square.csv')]
    assert [row[1:3] for row in rows] == [['0', '3'], ['1', '1']]
    assert rows[0][-2:] == ['1', '3'] and rows[1][-2:] == ['0.4142', '0.4142']
    assert open('out/diagram.png', 'rb').read(4) == b'\x89PNG'
    # the images of a RipsNet's training
    spec = dict(bandwidth=0.5, im_range=[0.0, 0.0, 0.0, 3.0], scale=20.0, resolution=[20, 20])
    save_file(RipsNet(2).to_file(spec=spec), 'ripsnet.pth')
    code, out, err = call('analysis/diagram.py', 'square.csv', '--spec', 'ripsnet.pth', '--out', 'out')
    report = json.load(open('out/diagram.json'))
    assert code == 0 and list(report['diagrams']['square.csv']) == ['0'] and report['spec'] == spec


def test_diagram_of_teacher_and_student(call, config, random_networks, digits_config):
    code, out, err = call(
        'analysis/diagram.py', config, '--checkpoint', 'plain=plain.pth', '--out', 'out', '--seed', '2'
    )
    assert code == 0, err
    diagrams = json.load(open('out/diagram.json'))['diagrams']
    assert list(diagrams) == ['teacher', 'plain']
    cloud = torch.randperm(64, generator=torch.Generator().manual_seed(2))[:16].numpy()
    for name, found in diagrams.items():
        deaths = linkage(all_features(digits_config, random_networks[name])[0][cloud].astype(float), 'single')[:, 2]
        np.testing.assert_allclose(np.array(found['0'])[:, 1], deaths, rtol=1e-3)


def test_a_random_part_of_many_points(call):
    points = np.random.default_rng(0).normal(size=(2100, 2))
    np.save('many.npy', points)
    code, out, err = call('analysis/diagram.py', 'many.npy')
    assert (
        code == 1
        and 'has 2100 points, too many for its diagram (limit 2048): take a random part of them by --points 1024' in err
    )
    code, out, err = call('analysis/diagram.py', 'many.npy', '--points', '50', '--homology-dims', '0', '--out', 'out')
    assert code == 0 and len(json.load(open('out/diagram.json'))['diagrams']['many.npy']['0']) == 49


@pytest.mark.parametrize(
    'options, message',
    [
        (['none.npy'], "point cloud 'none.npy' does not exist"),
        (['none.py'], "config 'none.py' does not exist"),
        (['a.npy', '--points', '9'], '--points must be 2 to 4, got 9'),
        (['a.npy', '--checkpoint', 'a.pth'], '--checkpoint needs a config as SOURCE'),
        (['a.npy', '--homology-dims', '-1'], 'homology_dims must be'),
        (['a.npy', '--spec', 'none.pth'], "'none.pth' does not exist"),
        (['nan.npy'], "point 2 of 'nan.npy' is not finite"),
    ],
)
def test_diagrams_of_bad_input(call, options, message):
    np.save('a.npy', np.eye(4))
    np.save('nan.npy', np.diag([1.0, 1, np.nan]))
    code, out, err = call('analysis/diagram.py', *options)
    assert code == 1 and message in err and 'Traceback' not in err, err
