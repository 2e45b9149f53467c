#!/usr/bin/env python3
"""Whether every method learns: its term at the start and after some steps with a real teacher on CIFAR-100.

    python benchmarks/method_terms.py --teacher checkpoints/resnet56_cifar100.pth [--data-root data/cifar100]
        [--steps 100] [--images 10000] [--epoch 0] [--methods at crd ...] [--device cuda]

All methods train beside each other as one cohort, so that the teacher runs once a batch; each as in its own config. The
table shows the mean of the first and of the last ten steps of the method's term, with its weight, and of the gradient
ratio: the length of the gradient by which the term pulls at its taps, over that of the student's own loss.
"""

import argparse
from pathlib import Path
from statistics import mean

import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner

import topkd  # noqa: F401
from topkd.models.losses.distillation_loss import DistillationLoss

CONFIGS = Path(__file__).resolve().parent.parent / 'configs' / 'methods'
PAIR = 'resnet56-resnet20_cifar100'
MEASURED = 10  # steps at either end


def cohort(configs: dict[str, Config], teacher: str) -> dict:
    """Return the config of a cohort whose members are the students of all configs."""
    first = next(iter(configs.values()))
    members = {}
    for name, cfg in configs.items():
        own = {key: value for key, value in cfg.model.to_dict().items() if key not in ('type', 'teacher')}
        if 'checkpoint' in own['student']['head']:
            own['student']['head']['checkpoint'] = teacher
        members[name] = dict(own, gradient_interval=5)
    model = dict(first.model.teacher.to_dict(), checkpoint=teacher)
    return dict(type='topkd.Cohort', teacher=model, members=members, data_preprocessor=first.data_preprocessor)


def train(cfg: Config, configs: dict[str, Config], args: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    """Train the cohort and return what every member logged, step by step."""
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    model = MODELS.build(cohort(configs, args.teacher))
    model.init_weights()
    model.to(args.device).train()
    dataset = dict(cfg.train_dataloader.dataset, data_root=args.data_root, indices=args.images)
    loader = Runner.build_dataloader(dict(cfg.train_dataloader, dataset=dataset), seed=0)
    for module in model.modules():
        if isinstance(module, DistillationLoss):
            module.prepare(loader.dataset)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    MessageHub.get_current_instance().update_info('epoch', args.epoch)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in configs}
    while len(next(iter(found.values()))) < args.steps:
        for batch in loader:
            logs = model.train_step(batch, wrapper)
            for name, rows in found.items():
                rows.append({key.split('/')[1]: v.item() for key, v in logs.items() if key.startswith(f'{name}/')})
            if len(rows) == args.steps:
                break
    return found


def main() -> None:
    """Print the table."""
    paths = {path.stem.split('_')[0]: path for path in sorted(CONFIGS.glob(f'*_{PAIR}.py'))}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--teacher', required=True, help='checkpoint of ResNet56')
    parser.add_argument('--data-root', default='data/cifar100')
    parser.add_argument('--steps', type=int, default=100)
    parser.add_argument('--images', type=int, default=10_000)
    parser.add_argument('--epoch', type=int, default=0, help='as which epoch the steps count: 30 is after all warm-ups')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--methods', nargs='+', choices=sorted(paths), default=sorted(paths))
    args = parser.parse_args()
    configs = {name: Config.fromfile(paths[name]) for name in args.methods}
    found = train(next(iter(configs.values())), configs, args)
    where = f'{args.images} images, epoch {args.epoch}, torch {torch.__version__}, {args.device}'
    print(f'{PAIR}, {args.steps} steps, {where}\n')
    print(f'{"method":<10}{"first steps":>14}{"last steps":>14}{"last / first":>14}{"gradient ratio":>16}')
    for name, rows in found.items():
        values = [row[f'loss_{name}'] for row in rows if row]
        if len(values) < len(rows):
            print(f'{name:<10}stopped after {len(values)} steps: its loss was not finite')
            continue
        ratios = [row[f'gradient_ratio_{name}'] for row in rows if f'gradient_ratio_{name}' in row]
        first, last = mean(values[:MEASURED]), mean(values[-MEASURED:])
        pull = f'{mean(ratios):.4g}' if ratios else 'no other term'
        print(f'{name:<10}{first:>14.5g}{last:>14.5g}{last / first:>14.3f}{pull:>16}')


if __name__ == '__main__':
    main()
