"""Rows of benchmarks/topology.py about whole training steps, under MMEngine's runner."""

import itertools
from collections.abc import Iterator

import numpy as np
import torch
from distillation_step import PAIR, make_runner, started
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.nn import functional as F
from torch.utils.data import DataLoader
from turns import Row

import topkd  # noqa: F401
from topkd.artifacts.array_file import ArrayFile
from topkd.artifacts.artifact import RipsNetArtifact
from topkd.models import RipsNet
from topkd.runners import RipsNetRunner
from topkd.utils.files import write_json

BATCH = 64
CLOUDS = 4096


def share_row(folder: str, device: str) -> Row:
    """Compare the exact term, clouds to gradient, with the step of ResNet56-ResNet20 that it is part of."""
    init_default_scope('mmpretrain')
    exact = make_runner(f'{folder}/exact', f'topkd/{PAIR.replace(".py", "_exact.py")}', BATCH, device)
    plain = make_runner(f'{folder}/kd', f'kd/{PAIR}', BATCH, device)
    batch = next(iter(exact.train_dataloader))
    exact.train_loop.run_iter(0, batch)  # fits the spec
    loss = exact.model.losses['topology']
    generator = torch.Generator().manual_seed(0)
    student, teacher = torch.rand(2, BATCH, 64, generator=generator).to(device).unbind()

    def term(_: dict) -> None:
        loss(student.clone().requires_grad_(), teacher).backward()

    variants = {
        'KD and the exact image': lambda batch: exact.train_loop.run_iter(1, batch),
        'KD': lambda batch: plain.train_loop.run_iter(1, batch),
        'exact term alone': term,
    }
    return Row(
        f'distillation step ResNet56-ResNet20, batch {BATCH}', 'exact term <= 2 %', lambda: batch, variants, 'share'
    )


def ripsnet_row(folder: str, device: str) -> Row:
    """Compare RipsNet's training step with forward, backward and Adamax on tensors that are there already."""
    runner = started(Runner.from_cfg(Config(make_artifact(folder).runner_config('mean'))), device)
    loader, numbers = endless(runner.train_dataloader), itertools.count(1)
    network = RipsNet(64).to(device)
    optimizer = torch.optim.Adamax(network.parameters(), lr=5e-4)

    def bare(batch: dict) -> None:
        loss = F.mse_loss(network(batch['points']), batch['images'])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    resident = itertools.cycle([{name: tensor.to(device) for name, tensor in next(loader).items()} for _ in range(16)])
    variants = {
        'hand-written, resident tensors': bare,
        'runner, from the artifact': lambda _: runner.train_loop.run_iter(next(numbers), next(loader)),
        'runner, resident tensors': lambda batch: runner.train_loop.run_iter(next(numbers), batch),
    }
    return Row(
        f"RipsNet's training step, batch {BATCH} of 64 x 64",
        '<= 1.3 x from the artifact',
        lambda: next(resident),
        variants,
        'the time',
    )


def endless(loader: DataLoader) -> Iterator[dict]:
    """Start the loader again whenever it is through."""
    while True:
        yield from loader


def make_artifact(folder: str) -> RipsNetRunner:
    """Write random clouds and images as gen_pi.py does, and return the runner that trains on them."""
    generator = np.random.default_rng(0)
    arrays = dict(clouds=generator.normal(size=(CLOUDS, 64, 64)), images=generator.random((CLOUDS, 400)))
    for name, values in arrays.items():
        ArrayFile.create(f'{folder}/{name}.npy', values.shape).write(0, values)
    request = dict(
        tap='neck[0]', cloud='BatchCloud', num_points=64, normalization='none', homology_dims=[0], resolution=[20, 20]
    )
    spec = dict(bandwidth=0.5, im_range=[0.0, 0.0, 0.1, 2.0], scale=3.0, resolution=[20, 20])
    write_json(
        dict(request=dict(request, teacher='random'), width=64, spec=spec, complete=True), f'{folder}/manifest.json'
    )
    return RipsNetRunner(RipsNetArtifact('random', request, f'{folder}/ripsnet.pth'), {}, log_level='ERROR')
