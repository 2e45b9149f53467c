"""Clouds and images: their numbers, and that kills, shards and repetitions change nothing."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import gudhi
import numpy as np
import pytest
import torch
import warm
from gudhi.representations import PersistenceImage
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

import topkd.runners.persistence_image_runner as module
from topkd.artifacts.integrity import SEAL
from topkd.runners import PersistenceImageRunner, RipsNetRunner

ROOT = Path(__file__).resolve().parent.parent.parent


def artifact(folder) -> dict:
    """Read everything that must be equal between two artifacts."""
    folder = Path(folder)
    return dict(
        clouds=np.load(folder / 'clouds.npy'),
        images=np.load(folder / 'images.npy'),
        manifest=json.loads((folder / 'manifest.json').read_text()),
    )


def assert_equal(first: dict, second: dict) -> None:
    assert first['manifest'] == second['manifest']
    assert np.array_equal(first['clouds'], second['clouds'])
    assert np.array_equal(first['images'], second['images'])


def make(cfg) -> dict:
    return artifact(PersistenceImageRunner.from_cfg(cfg).run())


def test_images_are_those_of_the_released_route(small_config, teacher_checkpoint):
    got = make(small_config(**{'model.teacher.checkpoint': teacher_checkpoint}))
    assert got['clouds'].shape == (24, 16, 64) and got['clouds'].dtype == np.float32
    diagrams = []
    for cloud in got['clouds']:
        tree = gudhi.RipsComplex(points=cloud.astype(np.float64)).create_simplex_tree(max_dimension=1)
        tree.compute_persistence()
        diagram = tree.persistence_intervals_in_dimension(0)
        diagrams.append(diagram[np.isfinite(diagram[:, 1])])
    points = np.concatenate(diagrams)[:200]
    distances = np.abs(points[:, 1][:, None] - points[:, 1][None])
    bandwidth = np.quantile(distances[distances > 1e-5], 0.2)
    deaths = np.concatenate(diagrams)[:, 1]
    images = PersistenceImage(
        bandwidth=bandwidth,
        im_range=[0, 0, deaths.min(), deaths.max()],
        resolution=[20, 20],
        weight=lambda point: 10 * (np.tanh(point[1]) + np.log(100 * point[0] + 1)),
    ).fit_transform(diagrams)
    spec = got['manifest']['spec']
    assert spec['bandwidth'] == pytest.approx(bandwidth, rel=1e-4)
    assert spec['im_range'] == pytest.approx([0, 0, deaths.min(), deaths.max()], rel=1e-5)
    assert spec['scale'] == pytest.approx(images.max(), rel=1e-4)
    assert np.allclose(got['images'], images / images.max(), atol=1e-4)
    assert got['images'].max() == pytest.approx(1)


def test_clouds_are_the_teachers_features_in_eval_mode(small_config, teacher_checkpoint):
    cfg = small_config(
        **{
            'model.teacher.checkpoint': teacher_checkpoint,
            'train_dataloader.dataset.indices': 16,
            'clouds.num_clouds': 2,
        }
    )
    cfg.data_preprocessor.crop_padding = 0
    got = make(cfg)['clouds']
    runner = PersistenceImageRunner.from_cfg(cfg)
    from mmengine.registry import DATASETS

    images = DATASETS.build(cfg.train_dataloader.dataset).__getitems__(list(range(16)))
    with torch.no_grad():
        inputs = runner.preprocessor(images, False)['inputs']
        expected = runner.teacher.module.extract_feat(inputs)[0].numpy()
    # without augmentation every cloud is a permutation of the same 16 points
    for cloud in got:
        distances = np.linalg.norm(cloud[:, None] - expected[None], axis=2)
        assert sorted(distances.argmin(1)) == list(range(16)) and distances.min(1).max() < 1e-4


def test_authors_batch_statistics_are_an_option_and_leave_the_teacher_alone(small_config, teacher_checkpoint):
    options = {'model.teacher.checkpoint': teacher_checkpoint, 'clouds.num_clouds': 3}
    plain = make(small_config('eval', **options))
    cfg = small_config('train', **options, **{'clouds.batch_statistics': True})
    runner = PersistenceImageRunner.from_cfg(cfg)
    before = {name: tensor.clone() for name, tensor in runner.teacher.module.state_dict().items() if 'running' in name}
    other = artifact(runner.run())
    assert not np.allclose(plain['clouds'], other['clouds'])
    for name, tensor in before.items():
        assert torch.equal(runner.teacher.module.state_dict()[name], tensor), name
    assert not any(layer.training for layer in runner.teacher.module.modules())


@pytest.mark.parametrize('stop_at', ['clouds', 'images', 'finish'])
def test_stopped_anywhere_goes_on_to_the_same_artifact(small_config, teacher_checkpoint, monkeypatch, stop_at):
    options = {'model.teacher.checkpoint': teacher_checkpoint}
    whole = make(small_config('whole', **options))
    monkeypatch.setattr(module, 'CLOUDS_PER_MARK', 4)
    cfg = small_config('stopped', **options)
    runner = PersistenceImageRunner.from_cfg(cfg)
    calls = []
    target = dict(clouds='_forward', images='_make_images', finish='_finish')[stop_at]
    original = getattr(runner, target)

    def stop(*args):
        calls.append(args)
        if stop_at != 'clouds' or len(calls) == 15:
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(runner, target, stop)
    with pytest.raises(KeyboardInterrupt):
        runner.run()
    resumed = PersistenceImageRunner.from_cfg(cfg)
    forwards = []
    original_forward = resumed._forward
    monkeypatch.setattr(resumed, '_forward', lambda *args: forwards.append(args) or original_forward(*args))
    assert_equal(artifact(resumed.run()), whole)
    # one forward of the first run showed the width; marks are set every 4 clouds
    assert len(forwards) == (24 - 12 if stop_at == 'clouds' else 0)
    assert sorted(os.listdir(Path(cfg.model.losses.topology.vectorizer.checkpoint).parent)) == [
        '.lock',
        'clouds.npy',
        'images.npy',
        'manifest.json',
    ]


def test_killed_process_goes_on_to_the_same_artifact(small_config, teacher_checkpoint, tmp_path):
    options = {'model.teacher.checkpoint': teacher_checkpoint, 'clouds.num_clouds': 400}
    cfg = small_config('killed', **options)
    path = tmp_path / 'config.py'
    cfg.dump(path)
    process = warm.start(ROOT / 'tools' / 'gen_pi.py', [str(path)], tmp_path)
    done = tmp_path / 'killed' / 'clouds.done.npy'
    deadline = time.time() + 120
    while time.time() < deadline and process.is_alive():
        if done.is_file() and np.load(done, mmap_mode='r').sum() >= 64:
            break
        time.sleep(0.005)
    process.kill(), process.join()
    again = warm.run(ROOT / 'tools' / 'gen_pi.py', [str(path)], tmp_path)
    assert again.returncode == 0, again.stderr
    assert_equal(artifact(tmp_path / 'killed'), make(small_config('whole', **options)))


def test_two_processes_make_the_artifact_of_one(small_config, teacher_checkpoint, tmp_path):
    options = {'model.teacher.checkpoint': teacher_checkpoint}
    cfg = small_config('two', **options)
    path = tmp_path / 'config.py'
    cfg.dump(path)
    environment = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT))
    subprocess.run(
        [
            sys.executable,
            '-m',
            'torch.distributed.run',
            '--nproc_per_node=2',
            '--master_port=0',
            '--rdzv-backend=c10d',
            '--rdzv-endpoint=127.0.0.1:0',
            str(ROOT / 'tools' / 'gen_pi.py'),
            str(path),
            '--launcher',
            'pytorch',
        ],
        env=environment,
        check=True,
        capture_output=True,
    )
    assert_equal(artifact(tmp_path / 'two'), make(small_config('one', **options)))


def test_finished_artifact_is_not_made_again(small_config, teacher_checkpoint, monkeypatch):
    cfg = small_config(**{'model.teacher.checkpoint': teacher_checkpoint})
    make(cfg)
    again = PersistenceImageRunner.from_cfg(cfg)
    monkeypatch.setattr(again, '_forward', None)
    again.run()


def test_artifact_of_another_request_is_not_touched(small_config, teacher_checkpoint):
    options = {'model.teacher.checkpoint': teacher_checkpoint}
    before = make(small_config(**options))
    with pytest.raises(ValueError, match='was made for another config .seed 0, asked for 7'):
        make(small_config(**options, **{'clouds.seed': 7}))
    cfg = small_config(**options)
    assert_equal(artifact(Path(cfg.model.losses.topology.vectorizer.checkpoint).parent), before)


@pytest.mark.parametrize(
    'options, error, message',
    [
        ({'clouds.num_clouds': -5}, ValueError, 'clouds.num_clouds must be 1 or more, got -5'),
        ({'clouds.chunk': 0}, ValueError, 'clouds.chunk must be 1 or more, got 0'),
        ({'clouds.number': 3}, KeyError, 'clouds has no setting number; it has num_clouds, seed'),
        (
            {'model.losses.topology.cloud.num_points': None, 'train_dataloader.batch_size': None},
            ValueError,
            'needs a batch size: set train_dataloader.batch_size, or cloud.num_points',
        ),
        (
            {'model.losses.topology.cloud.num_points': 500},
            ValueError,
            'a cloud needs 500 images, the training set has 256',
        ),
        (
            {'model.losses.topology.vectorizer.homology_dims': (2, 0)},
            ValueError,
            'homology_dims must be ascending whole numbers',
        ),
        ({'model.losses.topology.teacher_tap': 'neck'}, TypeError, 'must be one tensor, got a tuple of 1'),
    ],
)
def test_bad_configs(small_config, options, error, message):
    with pytest.raises(error, match=message):
        make(small_config(**options))


def test_a_cloud_that_is_the_whole_batch_has_the_size_of_the_trainings_batch(small_config, teacher_checkpoint):
    whole = {'model.teacher.checkpoint': teacher_checkpoint, 'train_dataloader.batch_size': 12}
    cfg = small_config('whole', **whole)
    cfg.model.losses.topology.cloud = dict(type='BatchCloud')
    folder = PersistenceImageRunner.from_cfg(cfg).run()
    assert np.load(f'{folder}/clouds.npy').shape == (24, 12, 64)
    RipsNetRunner.from_cfg(cfg).run()
    init_default_scope('mmpretrain')
    loss = MODELS.build(cfg.model).losses.topology.train()
    assert loss(torch.rand(12, 64), torch.rand(12, 64)).isfinite()
    with pytest.raises(ValueError, match='trained on clouds of 12 points, got 8: set drop_last=True'):
        loss(torch.rand(8, 64), torch.rand(8, 64))


def test_config_without_a_topology_loss(digits_config):
    with pytest.raises(KeyError, match="model.losses has no topology loss 'topology' .it has: none"):
        PersistenceImageRunner.from_cfg(digits_config('kd/resnet20-resnet8_digits.py'))


def test_dimension_one_and_both(small_config, teacher_checkpoint):
    for dims in ((1,), (0, 1)):
        got = make(
            small_config(
                f'h{dims}',
                **{
                    'model.teacher.checkpoint': teacher_checkpoint,
                    'clouds.num_clouds': 6,
                    'model.losses.topology.vectorizer.homology_dims': dims,
                },
            )
        )
        assert got['images'].max() == pytest.approx(1) and got['manifest']['request']['homology_dims'] == list(dims)


@pytest.mark.parametrize(
    'dims, name, reason',
    [
        ((0,), 'topkd', 'dimension 0: minimum spanning trees'),
        ((0, 1), f'topkd and gudhi {gudhi.__version__}', "pairs of edges by gudhi's Ripser, lengths by topkd"),
        ((0, 2), f'gudhi {gudhi.__version__}', 'topkd has dimensions 0 and 1, asked for 2'),
    ],
)
def test_what_made_the_diagrams_is_logged_and_kept(small_config, teacher_checkpoint, monkeypatch, dims, name, reason):
    lines = []
    monkeypatch.setattr(module, 'print_log', lambda line, logger: lines.append(line))
    cfg = small_config(
        **{
            'model.teacher.checkpoint': teacher_checkpoint,
            'clouds.num_clouds': 2,
            'model.losses.topology.vectorizer.homology_dims': dims,
        }
    )
    backend = make(cfg)['manifest']['backend']
    assert backend['name'] == name and reason in backend['reason']
    assert lines[0] == f'diagrams by {name} ({backend["reason"]})' and f'diagrams by {name}; spec' in lines[1]
    make(cfg)
    assert lines[2].endswith(f'is complete, its diagrams made by {name}: nothing to do')


def test_images_of_dimension_2_are_gudhis_and_a_ripsnet_learns_them(small_config, teacher_checkpoint):
    cfg = small_config(
        **{
            'model.teacher.checkpoint': teacher_checkpoint,
            'clouds.num_clouds': 8,
            'model.losses.topology.vectorizer.homology_dims': (1, 2),
        }
    )
    got = make(cfg)
    diagrams = []
    for cloud in got['clouds']:
        tree = gudhi.RipsComplex(points=cloud.astype(np.float64)).create_simplex_tree(max_dimension=3)
        tree.compute_persistence()
        diagrams.append(np.concatenate([tree.persistence_intervals_in_dimension(dim).reshape(-1, 2) for dim in (1, 2)]))
    assert len(tree.persistence_intervals_in_dimension(2))
    spec = got['manifest']['spec']
    points = np.concatenate(diagrams)
    lasting = points[:, 1] - points[:, 0]
    assert spec['im_range'] == pytest.approx(
        [points[:, 0].min(), points[:, 0].max(), lasting.min(), lasting.max()], rel=1e-4
    )
    images = PersistenceImage(
        bandwidth=spec['bandwidth'],
        im_range=spec['im_range'],
        resolution=[20, 20],
        weight=lambda point: 10 * (np.tanh(point[1]) + np.log(100 * point[0] + 1)),
    ).fit_transform(diagrams)
    assert np.allclose(got['images'], images / images.max(), atol=1e-4)
    from topkd.models import RipsNet
    from topkd.runners import RipsNetRunner

    path = RipsNetRunner.from_cfg(cfg).run()
    assert RipsNet(checkpoint=path, homology_dims=(1, 2)).homology_dims == (1, 2)


def test_manifest_of_an_older_version_names_no_backend(small_config, teacher_checkpoint):
    cfg = small_config(**{'model.teacher.checkpoint': teacher_checkpoint, 'clouds.num_clouds': 2})
    path = Path(PersistenceImageRunner.from_cfg(cfg).run()) / 'manifest.json'
    manifest = json.loads(path.read_text())
    del manifest['backend'], manifest[SEAL]
    path.write_text(json.dumps(manifest))
    assert make(cfg)['manifest'] == manifest


def test_features_that_are_not_finite_name_the_cloud(small_config, teacher_checkpoint, monkeypatch):
    runner = PersistenceImageRunner.from_cfg(small_config(**{'model.teacher.checkpoint': teacher_checkpoint}))
    original = runner._forward
    monkeypatch.setattr(runner, '_forward', lambda batch, index: original(batch, index) / (index != 3))
    with pytest.raises(FloatingPointError, match='makes features of cloud 3 that are not finite: check its checkpoint'):
        runner.run()


def test_memory_does_not_grow_with_the_number_of_clouds(tmp_path):
    # 20,000 clouds of 64 x 64 are 328 MB: twice that would be seen if they were held or mapped
    from topkd.artifacts.array_file import ArrayFile

    file = ArrayFile.create(tmp_path / 'clouds.npy', (20_000, 64, 64))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = np.ones((100, 64, 64), np.float32)
    for start in range(0, 20_000, 100):
        file.write(start, rows)
    for start in range(0, 20_000, 100):
        file.take(range(start, start + 100))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000  # kB


def test_config_objects_are_plain(small_config, tmp_path):
    cfg = small_config()
    cfg.dump(tmp_path / 'dumped.py')
    assert Config.fromfile(tmp_path / 'dumped.py').clouds.num_clouds == 24
