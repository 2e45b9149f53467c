"""RipsNet's training: what it learns, what it keeps, and that a kill changes nothing."""

import json
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS, init_default_scope
from small import build

import topkd.runners.ripsnet_runner as module
from topkd.analysis.cloud_size import cloud_size
from topkd.artifacts.array_file import ArrayFile
from topkd.artifacts.artifact import AT_WORK, RipsNetArtifact
from topkd.datasets.clouds import CloudImages, mean_image_error
from topkd.hooks import ResumableEarlyStoppingHook
from topkd.models import RipsNet
from topkd.runners import PersistenceImageRunner, RipsNetRunner
from topkd.utils.checkpoint import load_file
from topkd.utils.files import write_json
from topkd.utils.lock import working_in

REQUEST = dict(
    tap='neck[0]', cloud='BatchCloud', num_points=6, normalization='none', homology_dims=[0], resolution=[2, 3]
)


def make_artifact(folder: Path, count: int = 40, width: int = 5) -> str:
    """Write an artifact whose images are a simple function of the clouds."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    clouds = generator.normal(size=(count, 6, width)).astype(np.float32)
    targets = 1 / (1 + np.exp(-clouds.mean(1) @ generator.normal(size=(width, 6)))).astype(np.float32)
    ArrayFile.create(folder / 'clouds.npy', clouds.shape).write(0, clouds)
    ArrayFile.create(folder / 'images.npy', targets.shape).write(0, targets)
    spec = dict(bandwidth=0.5, im_range=[0.0, 0.0, 0.1, 2.0], scale=3.0, resolution=[2, 3])
    write_json(
        dict(request=dict(REQUEST, teacher='t', teacher_fingerprint='f'), width=width, spec=spec, complete=True),
        folder / 'manifest.json',
    )
    return str(folder)


def runner(folder: str, **settings) -> RipsNetRunner:
    return RipsNetRunner(artifact(folder), dict(dict(max_epochs=6, batch_size=5, lr=0.01), **settings))


def artifact(folder: str, **changes) -> RipsNetArtifact:
    return RipsNetArtifact('t', dict(REQUEST, **changes), Path(folder, 'ripsnet.pth'))


def test_the_better_operator_is_kept_with_its_spec(tmp_path):
    folder = make_artifact(tmp_path / 'a')
    path = runner(folder).run()
    results = {name: json.loads((tmp_path / 'a' / name / 'result.json').read_text()) for name in ('mean', 'sum')}
    better = min(results, key=lambda name: results[name]['mse'])
    network = RipsNet(checkpoint=path, resolution=(2, 3)).eval()
    assert network.operator == better and network.spec['scale'] == 3.0
    assert network.source['teacher_fingerprint'] == 'f' and network.source['num_points'] == 6
    held_out = CloudImages(folder, 'val').__getitems__(range(10))
    with torch.no_grad():
        error = (network(held_out['points']) - held_out['images']).square().mean().item()
    assert error == pytest.approx(results[better]['mse'], rel=1e-4)


def test_training_lowers_the_error(tmp_path):
    folder = make_artifact(tmp_path / 'a', count=200)
    torch.manual_seed(0)
    result = runner(folder, operators=('mean',), max_epochs=40).train_operator('mean')
    images = CloudImages(folder, 'val').__getitems__(range(50))['images']
    assert result['mse'] < 0.5 * images.var().item()


def test_killed_training_ends_as_the_one_that_was_not(tmp_path, monkeypatch):
    settings = dict(operators=('mean',), max_epochs=12, patience=3, min_delta=1e-3)
    whole = runner(make_artifact(tmp_path / 'whole'), **settings)
    expected = whole.train_operator('mean')
    stopped = runner(make_artifact(tmp_path / 'stopped'), **settings)
    original, calls = ResumableEarlyStoppingHook.after_val_epoch, []

    def stop(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    monkeypatch.setattr(ResumableEarlyStoppingHook, 'after_val_epoch', stop)
    with pytest.raises(KeyboardInterrupt):
        stopped.train_operator('mean')
    monkeypatch.undo()
    assert stopped.train_operator('mean') == expected
    states = [load_file(str(tmp_path / name / 'mean' / 'resume.pth')) for name in ('whole', 'stopped')]
    assert (
        states[0]['early_stopping'] == states[1]['early_stopping']
        and states[0]['meta']['epoch'] == states[1]['meta']['epoch']
    )
    for name, tensor in states[0]['state_dict'].items():
        assert torch.equal(tensor, states[1]['state_dict'][name]), name


def test_the_file_is_written_by_one_process_at_a_time_beside_nothing_that_a_kill_left(tmp_path, monkeypatch):
    folder, original = Path(make_artifact(tmp_path / 'a')), module.save_file
    (folder / '.ripsnet.pth.77.partial').write_text('half')

    def save_file(content: dict, path: str) -> None:
        assert list(folder.glob('*.partial')) == []
        with pytest.raises(BlockingIOError, match="is making clouds or writing ripsnet.pth in '.*a': wait for its end"):
            with working_in(folder, AT_WORK, wait=False):
                pytest.fail('two write at once')
        original(content, path)

    monkeypatch.setattr(module, 'save_file', save_file)
    runner(str(folder), operators=('mean',), max_epochs=1).run()
    with working_in(folder, AT_WORK, wait=False):
        assert (folder / 'ripsnet.pth').is_file()


def test_what_another_process_writes_there_is_left_to_it(tmp_path, monkeypatch):
    folder = Path(make_artifact(tmp_path / 'a'))
    context = multiprocessing.get_context('fork')
    at_work, go_on = context.Event(), context.Event()

    def write() -> None:
        with working_in(folder, AT_WORK, wait=False):
            (folder / '.ripsnet.pth.77.partial').write_text('half')
            at_work.set()
            go_on.wait()
            os.replace(folder / '.ripsnet.pth.77.partial', folder / 'whole')

    other = context.Process(target=write)
    other.start()
    at_work.wait()
    monkeypatch.setattr('topkd.utils.lock.print_log', lambda *said: go_on.set())  # that it waits
    path = runner(str(folder), operators=('mean',), max_epochs=1).run()
    go_on.set()
    other.join()
    assert other.exitcode == 0 and (folder / 'whole').is_file() and Path(path).is_file()


def test_early_stopping_counts_validations_without_improvement(tmp_path):
    trained = runner(make_artifact(tmp_path / 'a'), operators=('mean',), max_epochs=50, patience=2, min_delta=10.0)
    trained.train_operator('mean')
    # nothing improves by 10, so the first validation is the best and two more are waited for
    assert load_file(str(tmp_path / 'a' / 'mean' / 'resume.pth'))['meta']['epoch'] == 3


def test_finished_operator_is_not_trained_again_and_other_settings_are_refused(tmp_path):
    folder = make_artifact(tmp_path / 'a')
    first = runner(folder, operators=('mean',)).train_operator('mean')
    modified = os.path.getmtime(tmp_path / 'a' / 'mean' / 'resume.pth')
    assert runner(folder, operators=('mean',)).train_operator('mean') == first
    assert os.path.getmtime(tmp_path / 'a' / 'mean' / 'resume.pth') == modified
    with pytest.raises(ValueError, match='lr 0.01, asked for 0.5'):
        runner(folder, operators=('mean',), lr=0.5).train_operator('mean')


@pytest.mark.parametrize(
    'settings, error, message',
    [
        (dict(operators=('max',)), ValueError, "operator must be 'mean' or 'sum', got 'max'"),
        (dict(learning_rate=1), KeyError, 'ripsnet has no setting learning_rate; it has operators'),
        (dict(operators='mean'), TypeError, r"ripsnet.operators must be a list such as \['mean', 'sum'\], got 'mean'"),
        (dict(operators=()), TypeError, 'ripsnet.operators must be a list'),
        (dict(units=(1,)), ValueError, r'ripsnet.units must be 3 whole numbers, each 1 or more, got \(1,\)'),
        (dict(units=(0, 0, 0)), ValueError, 'ripsnet.units must be 3 whole numbers, each 1 or more'),
        (dict(max_epochs=0), ValueError, 'ripsnet.max_epochs must be 1 or more, got 0'),
        (dict(patience=0), ValueError, 'ripsnet.patience must be 1 or more, got 0'),
        (dict(batch_size=2.5), TypeError, 'ripsnet.batch_size must be a whole number, 1 or more, got 2.5'),
        (dict(lr=float('nan')), ValueError, 'ripsnet.lr must be finite and positive, got nan'),
    ],
)
def test_bad_settings(tmp_path, settings, error, message):
    with pytest.raises(error, match=message):
        runner(make_artifact(tmp_path / 'a'), **settings)


def test_artifact_of_another_config(tmp_path):
    folder = make_artifact(tmp_path / 'a')
    with pytest.raises(ValueError, match='num_points 6, asked for 64'):
        RipsNetRunner(artifact(folder, num_points=64), {})
    with pytest.raises(FileNotFoundError, match='holds no clouds: run tools/gen_pi.py CONFIG first'):
        RipsNetRunner(artifact(tmp_path / 'b'), {})


def test_too_few_clouds_to_split(tmp_path):
    folder = make_artifact(tmp_path / 'a', count=1)
    with pytest.raises(ValueError, match='1 clouds in .* cannot be split with val_share=0.25: make more clouds'):
        CloudImages(folder, 'train')


def test_split_is_seeded_complete_and_disjoint(tmp_path):
    folder = make_artifact(tmp_path / 'a')
    train, val = CloudImages(folder, 'train'), CloudImages(folder, 'val')
    assert len(train) == 30 and len(val) == 10 and sorted([*train.rows, *val.rows]) == list(range(40))
    assert not np.array_equal(val.rows, CloudImages(folder, 'val', seed=1).rows)
    row = train.rows[3]
    assert np.array_equal(train[3]['points'], np.load(f'{folder}/clouds.npy')[row])


def test_regressor_is_the_mean_squared_error():
    model = build(dict(type='topkd.RipsNetRegressor', in_channels=5, resolution=(2, 3)))
    points, images = torch.randn(4, 6, 5), torch.rand(4, 6)
    loss = model(points, images, mode='loss')['loss']
    assert loss.item() == pytest.approx((model.ripsnet(points) - images).square().mean().item())


def test_a_network_that_is_no_better_than_the_mean_image_is_named(tmp_path, monkeypatch):
    folder = make_artifact(tmp_path / 'a')
    order = np.random.default_rng(0).permutation(40)
    images = np.load(f'{folder}/images.npy').astype(np.float64)
    trivial = np.square(images[order[:10]] - images[order[10:]].mean(0)).mean()
    parts = CloudImages(folder, 'train'), CloudImages(folder, 'val')
    assert mean_image_error(*parts) == pytest.approx(trivial, rel=1e-9)
    said = []
    monkeypatch.setattr(module, 'print_log', lambda line, *rest: said.append(line))
    runner(folder, operators=['mean'], max_epochs=1, lr=1e-9).run()
    assert f'RipsNet: the mean training image has validation MSE {trivial:.6f}' in said
    assert any(line.startswith('RipsNet learned nothing: its validation MSE') for line in said)


def test_a_best_checkpoint_that_is_gone_is_made_again(tmp_path):
    folder = make_artifact(tmp_path / 'a')
    whole = load_file(runner(folder, operators=['mean']).run())
    for damage in (Path.unlink, lambda path: path.write_bytes(b'')):
        result = json.loads((tmp_path / 'a' / 'mean' / 'result.json').read_text())
        damage(tmp_path / 'a' / 'mean' / result['checkpoint'])
        again = load_file(runner(folder, operators=['mean']).run())
        assert all(torch.equal(again['state_dict'][name], value) for name, value in whole['state_dict'].items())


@pytest.mark.parametrize('change', [dict(mse='low'), dict(mse=float('nan')), dict(epoch=None), dict(checkpoint=3)])
def test_a_damaged_result_is_made_again(tmp_path, change):
    folder = make_artifact(tmp_path / 'a')
    expected = runner(folder, operators=('mean',), max_epochs=2).train_operator('mean')
    write_json(dict(expected, **change), tmp_path / 'a/mean/result.json')
    assert runner(folder, operators=('mean',), max_epochs=2).train_operator('mean') == expected


@pytest.mark.parametrize('content', [dict(state_dict={}), dict(early_stopping={}, meta=[]), None])
def test_a_file_that_no_training_goes_on_from(tmp_path, monkeypatch, content):
    settings = dict(operators=('mean',), max_epochs=2)
    expected = runner(make_artifact(tmp_path / 'a'), **settings).train_operator('mean')
    resume = Path(make_artifact(tmp_path / 'b'), 'mean', 'resume.pth')
    resume.parent.mkdir()
    resume.write_text('x') if content is None else torch.save(content, resume)
    said = []
    monkeypatch.setattr(module, 'print_log', lambda line, *rest: said.append(line))
    assert runner(str(tmp_path / 'b'), **settings).train_operator('mean') == expected
    assert f"'{resume}' is no training that can be gone on with: it begins anew" in said


def test_a_training_that_diverges_says_so_and_leaves_nothing(tmp_path):
    folder = make_artifact(tmp_path / 'a')
    with pytest.raises(
        FloatingPointError, match=r"RipsNet \('mean'\) must be finite .* lower ripsnet.lr, which is 1e\+30"
    ):
        runner(folder, operators=('mean',), lr=1e30).run()
    assert not (tmp_path / 'a' / 'mean' / 'resume.pth').exists()


def test_an_interrupted_training_of_other_settings_is_not_gone_on_with(tmp_path):
    expected = runner(make_artifact(tmp_path / 'a'), operators=('mean',)).train_operator('mean')
    folder = make_artifact(tmp_path / 'b')
    runner(folder, operators=('mean',), lr=0.1, max_epochs=2).train_operator('mean')
    (tmp_path / 'b' / 'mean' / 'result.json').unlink()
    assert runner(folder, operators=('mean',)).train_operator('mean') == expected


def test_taps_by_name_go_all_the_way_to_a_training(small_config, teacher_checkpoint, tmp_path, monkeypatch):
    """An artifact is filed under the name that the config says, which needs no network to be known."""
    monkeypatch.chdir(tmp_path)
    cfg = small_config(**{'model.teacher.checkpoint': teacher_checkpoint})
    written = make_clouds_of(cfg, 'neck[0]')
    named = make_clouds_of(cfg, '@pooled')
    assert named.name == 'resnet20_digits_pooled_n16_h0' and written.name == 'resnet20_digits_neck-0_n16_h0'
    assert np.array_equal(np.load(named / 'clouds.npy'), np.load(written / 'clouds.npy'))
    assert cloud_size(cfg) == (16, 64)
    RipsNetRunner.from_cfg(cfg).run()
    init_default_scope('mmpretrain')
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    assert model.losses['topology'].teacher_tap == 'neck[0]'
    cfg.model.losses.topology.teacher_tap = 'backbone.layer3'
    with pytest.raises(FileNotFoundError, match='no RipsNet for these clouds|ripsnet.pth'):
        MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))


def make_clouds_of(cfg, tap):
    """Make the clouds of a tap where the config's artifacts lie."""
    cfg.model.losses.topology.vectorizer.pop('checkpoint', None)
    cfg.model.losses.topology.teacher_tap = tap
    return Path(PersistenceImageRunner.from_cfg(cfg).run())
