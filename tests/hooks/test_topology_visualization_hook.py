"""Pictures during a training: what arrives at the backends, when, and that the training does not notice."""

import importlib.util
import json
import os
import random
from glob import glob
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from distributed import run
from mmengine.registry import VISBACKENDS
from mmengine.runner import IterBasedTrainLoop, Runner
from mmengine.visualization.vis_backend import BaseVisBackend
from pretended_runner import pretended_runner
from scipy.cluster.hierarchy import linkage
from small import batch, build, distiller

from topkd.datasets import collate_batch
from topkd.hooks import TopologyVisualizationHook
from topkd.hooks.topology_visualization_hook import term_history
from topkd.hooks.undisturbed import alone, some_images, untouched
from topkd.models import RipsNet
from topkd.models.clouds import BatchCloud
from topkd.utils.checkpoint import save_file

PAIR = 'topkd/resnet20-resnet8_digits.py'
SPEC = dict(bandwidth=0.5, im_range=[0.0, 0.0, 0.0, 3.0], scale=20.0, resolution=[20, 20])


@VISBACKENDS.register_module(force=True)
class RememberingBackend(BaseVisBackend):
    """A backend that keeps what it is given, as TensorBoard's or W&B's would send it."""

    kept: list = []

    def _init_env(self):
        pass

    @property
    def experiment(self):
        return self

    def add_image(self, name, image, step=0, **kwargs):
        self.kept.append((name, step, image))

    def add_scalars(self, scalar_dict, step=0, file_path=None, **kwargs):
        self.kept.extend((name, step, value) for name, value in scalar_dict.items())


@pytest.fixture
def config(digits_config, tmp_path):
    """Return a function that reads the digits pair with 16 points a cloud, a random RipsNet or exact images, and the hook."""
    RememberingBackend.kept.clear()
    torch.manual_seed(0)
    save_file(RipsNet(64).to_file(spec=SPEC), tmp_path / 'ripsnet.pth')
    vectorizers = dict(
        ripsnet=dict(type='RipsNet', checkpoint=str(tmp_path / 'ripsnet.pth')),
        exact=dict(type='RipsImage', fit_batches=2),
    )

    def read(vectorizer: str = 'ripsnet', name: str = PAIR, hook=None, **options):
        cfg = digits_config(name, **{'train_cfg.max_epochs': 3, 'default_hooks.logger.interval': 2, **options})
        cfg.train_dataloader.dataset.indices, cfg.model.teacher.model.backbone.depth = 128, 8
        cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook.type != 'topkd.TeacherEvaluationHook']
        if cfg.model.losses.topology is not None:
            cfg.model.losses.topology.cloud.num_points = 16
            cfg.model.losses.topology.vectorizer = vectorizers[vectorizer]
        if hook is not None:
            cfg.custom_hooks.append(dict(type='topkd.TopologyVisualizationHook', **hook))
        cfg.visualizer.vis_backends = [dict(type='LocalVisBackend'), dict(type='RememberingBackend')]
        cfg.work_dir += f'_{len(os.listdir(tmp_path))}'
        cfg.experiment_name = f'visualization_{id(cfg)}_{random.random()}'
        return cfg

    return read


def train(cfg) -> Runner:
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def kept(name: str) -> dict:
    """Return what the backend got under a name, by step."""
    return {step: value for key, step, value in RememberingBackend.kept if key == name}


def same(first: Runner, second: Runner) -> bool:
    """Tell whether two trainings had the same losses in every step and have the same weights now, bit by bit."""
    curves = [runner.message_hub.get_scalar('train/loss').data[0].tolist() for runner in (first, second)]
    states = [runner.model.state_dict() for runner in (first, second)]
    return curves[0] == curves[1] and all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def test_a_training_with_ripsnet_is_bit_identical_and_sends_pictures_and_scalars(config):
    cfg = config(hook=dict(interval=2))
    without, runner = train(config()), train(cfg)
    # shuffled and randomly cropped digits: any random number drawn in between would show
    assert same(without, runner)
    # two columns of 2.3 inch and the colors' bar, three rows of 2.4 inch, 100 dots an inch
    pictures = kept('topology_images')
    assert list(pictures) == list(kept('topology_history')) == [2, 3]
    assert all(image.shape == (720, 620, 3) and image.dtype == np.uint8 for image in pictures.values())
    assert not np.array_equal(pictures[2], pictures[3])
    files = sorted(map(os.path.basename, glob(f'{cfg.work_dir}/*/vis_data/vis_image/*.png')))
    assert files == [f'topology_{what}_{epoch}.png' for what in ('history', 'images') for epoch in (2, 3)]

    model = runner.model.eval()
    network = model.losses.topology.vectorizer.module
    with torch.no_grad():
        chosen = np.random.default_rng(0).choice(64, 16, replace=False)
        raw = torch.stack([runner.val_dataloader.dataset[index]['inputs'] for index in chosen])
        inputs = model.data_preprocessor(dict(inputs=raw, gt_label=torch.zeros(16, dtype=torch.long)), False)['inputs']
        clouds = torch.stack([net.extract_feat(inputs)[0] for net in (model.teacher.module, model.student)])
        deaths = torch.from_numpy(np.stack([linkage(cloud, 'single')[:, 2] for cloud in clouds.numpy()]))[:, None]
        grid = torch.linspace(0, 3, 20)[None, :, None]
        columns = (10 * deaths.tanh() * (-((deaths - grid) ** 2) / 0.5).exp()).sum(2) / (2 * np.pi * 0.25) / 20
        exact, approximated = columns.repeat_interleave(20, dim=1), network(clouds)
    errors = (exact - approximated).square().mean(1).tolist()
    expected = dict(
        teacher_mse=errors[0],
        student_mse=errors[1],
        teacher_outside=(deaths[0] > 3).double().mean().item(),
        student_outside=(deaths[1] > 3).double().mean().item(),
        student_teacher_exact=(exact[1] - exact[0]).square().mean().item(),
        student_teacher_approximated=(approximated[1] - approximated[0]).square().mean().item(),
    )
    got = {name: value for name, step, value in RememberingBackend.kept if step == 3 and name.startswith('images/')}
    assert got == pytest.approx({f'images/topology_{key}': value for key, value in expected.items()}, rel=1e-3)


def test_with_exact_images_too_and_the_history_reaches_the_backends_as_scalars(config):
    cfg = config('exact', hook=dict(interval=3), **{'model.gradient_interval': 2})
    runner = train(cfg)
    assert same(train(config('exact', **{'model.gradient_interval': 2})), runner)
    with open(glob(f'{cfg.work_dir}/*/vis_data/scalars.json')[0]) as file:
        lines = [json.loads(line) for line in file]
    for key in ('loss_topology', 'share_topology', 'gradient_ratio_topology', 'outside_topology'):
        in_file = {line['step']: line[key] for line in lines if key in line}
        assert in_file == kept(key) and list(in_file) == [2, 4, 6], key
    history = term_history(runner, 'topology')
    assert list(history) == ['weighted term', 'share of the loss', 'gradient ratio', 'deaths out of range']
    assert list(history['weighted term'][0]) == [1, 2, 3, 4, 5, 6] and list(history['gradient ratio'][0]) == [1, 3, 5]
    assert history['weighted term'][1].tolist() == runner.message_hub.get_scalar('train/loss_topology').data[0].tolist()


def test_trainings_by_iteration(config):
    cfg = config(hook=dict(interval=3, by_epoch=False))
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=5, val_interval=5)
    cfg.param_scheduler, cfg.default_hooks.checkpoint = None, None
    train(cfg)
    assert list(kept('topology_images')) == list(kept('topology_history')) == [3, 5]


def test_hooks_and_loops_that_count_differently():
    by_epoch = SimpleNamespace(train_loop=object(), model=None)
    with pytest.raises(
        ValueError, match='by_epoch=False, but this training counts epochs: set by_epoch=True and an interval in epochs'
    ):
        TopologyVisualizationHook(by_epoch=False).before_train(by_epoch)
    by_iteration = SimpleNamespace(train_loop=IterBasedTrainLoop.__new__(IterBasedTrainLoop), model=None)
    with pytest.raises(ValueError, match='by_epoch=True, but this training counts iterations: set by_epoch=False'):
        TopologyVisualizationHook().before_train(by_iteration)
    with pytest.raises(ValueError, match='interval must be 1 or more, got 0'):
        TopologyVisualizationHook(interval=0)


def test_too_few_validation_images_for_a_cloud():
    runner = pretended_runner(build(distiller()), [None] * 7, None)
    with pytest.raises(ValueError, match='draws a cloud of 8 validation images, the validation set has 7: enlarge it'):
        TopologyVisualizationHook().before_train(runner)


def test_what_has_no_images_says_so():
    plain = distiller(losses=dict(kd=dict(type='KDLoss', tau=4.0, loss_weight=2.0)))
    runner = pretended_runner(build(plain), [None] * 8, None)
    TopologyVisualizationHook().before_train(runner)
    TopologyVisualizationHook().draw(runner, 1)
    assert (
        runner.log == ['TopologyVisualizationHook draws nothing: the model has no topology loss']
        and not runner.visualizer.images
    )
    deaths = distiller(losses=dict(topology=dict(type='TopologyLoss', distance='sorted_deaths')))
    runner = pretended_runner(build(deaths), [None] * 8, None)
    runner.message_hub.update_scalar('train/loss_topology', 1.0)
    TopologyVisualizationHook().before_train(runner)
    TopologyVisualizationHook().draw(runner, 1)
    assert runner.log == [
        "no pictures of loss 'topology' besides its history: its distance 'sorted_deaths' compares no images"
    ]
    assert [name for name, *_ in runner.visualizer.images] == ['topology_history']


def test_images_that_were_not_fitted_yet_and_no_validation_set():
    runner = pretended_runner(build(distiller()), [None] * 8, None)
    TopologyVisualizationHook().draw(runner, 4)
    assert runner.log == ["no picture of loss 'topology' at epoch 4: its images were not fitted yet"]
    runner = pretended_runner(build(distiller()), [], None)
    runner.val_loop = None
    TopologyVisualizationHook().before_train(runner)
    assert runner.log == ["no pictures of loss 'topology' besides its history: there is no validation set"]


def test_a_ripsnet_without_a_spec_is_drawn_alone(config):
    cfg = config(hook=dict(interval=1), **{'train_cfg.max_epochs': 1})
    save_file(RipsNet(64).to_file(), cfg.model.losses.topology.vectorizer.checkpoint)
    train(cfg)
    assert kept('topology_images')[1].shape == (480, 620, 3)  # a row of images and one of curves
    assert [name for name, *_ in RememberingBackend.kept if name.startswith('images/')] == [
        'images/topology_student_teacher_approximated'
    ]


@pytest.mark.skipif(importlib.util.find_spec('tensorboard') is None, reason='TensorBoard is not installed')
def test_tensorboard(config):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    cfg = config(hook=dict(interval=3))
    cfg.visualizer.vis_backends = [dict(type='TensorboardVisBackend')]
    train(cfg)
    events = EventAccumulator(glob(f'{cfg.work_dir}/*/vis_data')[0])
    events.Reload()
    assert {(event.step, event.width, event.height) for event in events.Images('topology_images')} == {(3, 620, 720)}
    assert {'topology_history', 'topology_images'} == set(events.Tags()['images'])
    assert {'loss_topology', 'share_topology', 'gradient_ratio_topology'} < set(events.Tags()['scalars'])


def test_block_leaves_modes_generators_and_gradients_alone():
    model = build(distiller()).train()
    model.student.backbone.layer1.eval()
    modes = [module.training for module in model.modules()]
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    with pytest.raises(RuntimeError, match='in between'), untouched(model):
        assert not any(module.training for module in model.modules())
        out = model.student.extract_feat(model.data_preprocessor(batch(), False)['inputs'])[0]
        assert not out.requires_grad
        random.random(), np.random.rand(), torch.rand(3)
        raise RuntimeError('in between')
    assert [module.training for module in model.modules()] == modes and not all(modes)
    assert random.getstate() == states[0] and np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
    assert all(torch.equal(buffer, buffers[name]) for name, buffer in model.named_buffers())


def test_some_images_of_data_sets_with_and_without_batches():
    chosen = ''.join('abcdef'[index] for index in np.random.default_rng(0).choice(6, 3, replace=False))
    loader = SimpleNamespace(dataset=list('abcdef'), collate_fn=''.join)
    assert some_images(loader, 3) == some_images(loader, 3) == chosen and len(set(chosen)) == 3

    class Batched(list):
        def __getitems__(self, indices):
            return [self[index].upper() for index in indices]

    assert some_images(SimpleNamespace(dataset=Batched('abcdef'), collate_fn=''.join), 3) == chosen.upper()


def test_images_of_a_folder_that_is_sorted_by_class_are_of_many_classes():
    states = np.random.get_state()[1].tolist(), torch.get_rng_state()
    labels = some_images(SimpleNamespace(dataset=np.repeat(np.arange(10), 50).tolist(), collate_fn=list), 64)
    assert len(set(labels)) == 10
    assert np.random.get_state()[1].tolist() == states[0] and torch.equal(torch.get_rng_state(), states[1])


def test_a_cloud_of_a_whole_batch_has_the_configs_batch_size():
    """A dataloader with a batch sampler, as mmdet's configs have it, knows no batch size."""
    losses = dict(topology=dict(type='TopologyLoss', cloud=dict(type='BatchCloud'), vectorizer=dict(type='RipsImage')))
    runner = pretended_runner(build(distiller(losses=losses)), [None] * 7, None)
    runner.train_dataloader = SimpleNamespace(batch_size=None)
    with pytest.raises(ValueError, match='draws a cloud of 8 validation images, the validation set has 7'):
        TopologyVisualizationHook().before_train(runner)


def draw_on_one_rank(rank: int) -> None:
    """Draw in two processes whose clouds are gathered, where only the first has anything to do."""
    torch.manual_seed(0)
    model = build(distiller(student_width=8)).train()
    loss = model.losses.topology
    loss.vectorizer.imager.load_spec(SPEC)
    loss.cloud.gather = True
    dataset = [{key: value[0] for key, value in batch(1, seed=seed).items()} for seed in range(8)]
    runner = pretended_runner(model, dataset, collate_batch)
    TopologyVisualizationHook().draw(runner, 1)
    assert len(runner.visualizer.images) == (1 if rank == 0 else 0)
    assert loss.cloud.gather is True
    torch.distributed.barrier()  # would hang or fail if one process had gone on to another collective


def test_only_the_first_process_draws_and_none_waits_for_it():
    run(draw_on_one_rank)


@pytest.mark.parametrize('gather', [False, True])
def test_clouds_gather_as_before_behind_the_block(gather):
    loss = SimpleNamespace(cloud=BatchCloud(gather=gather))
    with alone(loss):
        assert loss.cloud.gather is False
    assert loss.cloud.gather is gather
