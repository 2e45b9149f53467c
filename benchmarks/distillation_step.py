#!/usr/bin/env python3
"""What a distillation step costs: topkd under MMEngine's runner against a hand-written loop of the same mathematics.

    python benchmarks/distillation_step.py [--device cuda] [--batch 64] [--repeats 20]

All variants take turns on the same batch in one process, so that a machine whose speed drifts slows all of them;
the table shows medians of the times and of the ratios within a turn.
"""

import argparse
import copy
import platform
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.nn import functional as F

import topkd  # noqa: F401

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
PAIR = 'resnet56-resnet20_cifar100.py'
BAR_LOOP, BAR_TOPOLOGY = 1.05, 1.03


def make_runner(folder: str, name: str, batch: int, device: str) -> Runner:
    """Build a stock runner for a config, with a random teacher, a random RipsNet and a synthetic data set."""
    cfg = Config.fromfile(CONFIGS / name)
    cfg.model.teacher.checkpoint = None
    topology = cfg.model.losses.topology
    if topology is not None:
        topology.cloud.num_points = batch
        if topology.vectorizer.type == 'RipsNet':
            topology.vectorizer.in_channels = 64
        else:
            topology.vectorizer.fit_batches = 1  # the step after the fit, which is all but the first 50
    dataset = dict(type='topkd.Digits', split='train', image_size=32)
    cfg.train_dataloader.dataset = dataset
    cfg.train_dataloader.batch_size = batch
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = cfg.test_cfg = cfg.test_dataloader = cfg.test_evaluator = (
        None
    )
    cfg.work_dir, cfg.log_level = folder, 'ERROR'
    cfg.experiment_name = name.replace('/', '_').replace('.py', '')
    return started(Runner.from_cfg(cfg), device)


def started(runner: Runner, device: str) -> Runner:
    """Do to a runner what ``Runner.train()`` does before its first iteration, on any device."""
    runner.model.to(device)  # MMEngine takes a GPU where there is one
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    if runner.param_schedulers is not None:
        runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    runner._init_model_weights()
    for stage in ('before_run', 'before_train', 'before_train_epoch'):
        runner.call_hook(stage)
    runner.model.train()
    return runner


class HandWritten:
    """The loop that one would write without a framework, on copies of the same networks."""

    def __init__(self, runner: Runner) -> None:
        model = runner.model
        self.student, self.teacher = copy.deepcopy(model.student), model.teacher.module
        self.preprocess = copy.deepcopy(model.data_preprocessor)
        self.ripsnet = model.losses['topology'].vectorizer.module if 'topology' in model.losses else None
        self.optimizer = torch.optim.SGD(self.student.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)

    def __call__(self, batch: dict) -> float:
        data = self.preprocess(batch, True)
        labels = torch.cat([sample.gt_label for sample in data['data_samples']])
        with torch.no_grad():
            teacher_points = self.teacher.neck(self.teacher.backbone(data['inputs']))[0]
            teacher_logits = self.teacher.head.fc(teacher_points)
        points = self.student.neck(self.student.backbone(data['inputs']))[0]
        logits = self.student.head.fc(points)
        kd = F.kl_div(
            F.log_softmax(logits / 4, 1), F.log_softmax(teacher_logits / 4, 1), log_target=True, reduction='batchmean'
        )
        loss = F.cross_entropy(logits, labels) + 2 * 16 * kd
        if self.ripsnet is not None:
            with torch.no_grad():
                target = self.ripsnet(teacher_points[None])
            loss = loss + 5 * F.mse_loss(self.ripsnet(points[None]), target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def timed(function, batch: dict, device: str) -> float:
    """Return the milliseconds of one call."""
    begin = time.perf_counter()
    function(batch)
    if device == 'cuda':
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--repeats', type=int, default=20)
    parser.add_argument('--threads', type=int, default=None)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    init_default_scope('mmpretrain')
    with tempfile.TemporaryDirectory() as folder:
        runners = {
            'KD': make_runner(f'{folder}/kd', f'kd/{PAIR}', args.batch, args.device),
            'TopKD, RipsNet': make_runner(f'{folder}/ripsnet', f'topkd/{PAIR}', args.batch, args.device),
            'TopKD, exact image': make_runner(
                f'{folder}/exact', f'topkd/{PAIR.replace(".py", "_exact.py")}', args.batch, args.device
            ),
        }
        variants = {
            name: (lambda batch, runner=runner: runner.train_loop.run_iter(1, batch))
            for name, runner in runners.items()
        }
        variants['KD, hand-written'] = HandWritten(runners['KD'])
        variants['TopKD, hand-written'] = HandWritten(runners['TopKD, RipsNet'])
        batch = next(iter(runners['KD'].train_dataloader))
        times = {name: [] for name in variants}
        for turn in range(args.repeats + 3):
            for name, function in variants.items():
                elapsed = timed(function, batch, args.device)
                if turn >= 3:
                    times[name].append(elapsed)

    def ratio(first: str, second: str) -> float:
        return median(a / b for a, b in zip(times[first], times[second]))

    hardware = (
        torch.cuda.get_device_name() if args.device == 'cuda' else f'{platform.processor() or platform.machine()} CPU'
    )
    print(
        f'{PAIR}, batch {args.batch}, {hardware}, {torch.get_num_threads()} threads, torch {torch.__version__}, '
        f'{args.repeats} turns\n\n{"step":<24}{"ms, median":>12}{"least":>10}'
    )
    for name, values in times.items():
        print(f'{name:<24}{median(values):>12.1f}{min(values):>10.1f}')
    print(f'\n{"ratio of steps, median within turns":<48}{"ratio":>8}{"bar":>8}')
    for label, first, second, bar in (
        ('KD under the runner / hand-written', 'KD', 'KD, hand-written', BAR_LOOP),
        ('TopKD under the runner / hand-written', 'TopKD, RipsNet', 'TopKD, hand-written', BAR_LOOP),
        ('TopKD with RipsNet / KD', 'TopKD, RipsNet', 'KD', BAR_TOPOLOGY),
        ('TopKD with the exact image / KD', 'TopKD, exact image', 'KD', 1.02),
    ):
        print(f'{label:<48}{ratio(first, second):>8.3f}{bar:>8.2f}')


if __name__ == '__main__':
    main()
