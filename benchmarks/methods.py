#!/usr/bin/env python3
"""What a training step of every method costs, relative to KD's on the same teacher, student and batch.

    python benchmarks/methods.py [--device cuda] [--batch 64] [--repeats 7] [--methods at crd ...]

All methods take turns on the same batch in one process; the table shows the median time, the median of the ratios
within a turn, the parameters that a method adds to the student's, and, on a GPU, the peak memory relative to KD's.
"""

import argparse
import copy
import platform
import time
from pathlib import Path
from statistics import median

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope

import topkd  # noqa: F401
from topkd.models.losses.distillation_loss import DistillationLoss

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
PAIR = 'resnet56-resnet20_cifar100'
IMAGES = 50_000


class TrainingSet(list):
    """As many labels as CIFAR-100 has, for methods that ask for them."""

    labels = torch.arange(IMAGES) % 100


class Step:
    """A training step of one method.

    Args:
        path (Path): Its config.
        batch (int): Images.
        device (str): Where to run.
    """

    def __init__(self, path: Path, batch: int, device: str) -> None:
        cfg = Config.fromfile(path)
        init_default_scope(cfg.default_scope)
        cfg.model.teacher.checkpoint = None
        if 'checkpoint' in cfg.model.student.head:
            cfg.model.student.head.checkpoint = None
        for loss in cfg.model.losses.values():
            if loss is not None and 'batch_size' in loss:
                loss.batch_size = batch
        cfg.model.update(data_preprocessor=cfg.data_preprocessor, gradient_interval=0)
        torch.manual_seed(0)
        self.model = MODELS.build(copy.deepcopy(cfg.model))
        self.model.init_weights()
        self.model.to(device).train()
        for module in self.model.modules():
            if isinstance(module, DistillationLoss):
                module.prepare(TrainingSet(range(IMAGES)))
        self.wrapper = build_optim_wrapper(self.model, cfg.optim_wrapper)
        self.learned = sum(parameter.numel() for parameter in self.model.losses.parameters())

    def __call__(self, batch: dict) -> None:
        self.model.train_step(batch, self.wrapper)


def timed(step: Step, batch: dict, device: str) -> tuple[float, int]:
    """Return the milliseconds and, on a GPU, the peak memory of one step."""
    if device != 'cpu':
        torch.cuda.reset_peak_memory_stats()
        torch.cuda.synchronize()
    begin = time.perf_counter()
    step(batch)
    if device != 'cpu':
        torch.cuda.synchronize()
    elapsed = 1000 * (time.perf_counter() - begin)
    return elapsed, 0 if device == 'cpu' else torch.cuda.max_memory_allocated()


def main() -> None:
    """Print the table."""
    paths = {path.stem.split('_')[0]: path for path in sorted((CONFIGS / 'methods').glob(f'*_{PAIR}.py'))}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument('--methods', nargs='+', choices=sorted(paths), default=sorted(paths))
    args = parser.parse_args()
    names = ['kd', *(name for name in args.methods if name != 'kd')]
    steps = {name: Step(paths[name], args.batch, args.device) for name in names}
    generator = torch.Generator().manual_seed(0)
    batch = dict(
        inputs=torch.randint(0, 256, (args.batch, 3, 32, 32), generator=generator, dtype=torch.uint8),
        gt_label=torch.randint(0, 100, (args.batch,), generator=generator),
        sample_idx=torch.randperm(IMAGES, generator=generator)[: args.batch],
    )
    turns: list[dict[str, tuple[float, int]]] = []
    for turn in range(args.repeats + 1):
        taken = {name: timed(step, batch, args.device) for name, step in steps.items()}
        turns += [taken] if turn else []  # the first one warms up
    print(
        f'{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}, '
    )
    print(f'{args.device}, {PAIR}, batches of {args.batch}, {args.repeats} turns\n')
    print(f'{"method":<10}{"ms":>9}{"x KD":>8}{"added parameters":>20}{"memory x KD":>14}')
    for name, step in steps.items():
        ratio = median(turn[name][0] / turn['kd'][0] for turn in turns)
        memory = '' if args.device == 'cpu' else f'{median(turn[name][1] / turn["kd"][1] for turn in turns):.2f}'
        print(f'{name:<10}{median(turn[name][0] for turn in turns):>9.1f}{ratio:>8.2f}{step.learned:>20,}{memory:>14}')


if __name__ == '__main__':
    main()
