#!/usr/bin/env python3
"""Train a cohort of six, and each of its members alone, on CIFAR-100; compare weights, results and total times.

    python benchmarks/cohort_against_singles.py --data-root data/cifar100 --teacher teacher.pth \
        [--images 10000] [--epochs 3] [--batch 64] [--out work_dirs/cohort_against_singles]

Every training is tools/train.py in a process of its own. Stop it at will: given again, the command goes on with the
training that was running, and leaves out those that are finished; their seconds are kept beside them. Seconds are given
twice: on the clock, and of the processor, which other work on the machine changes less.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch
from cohort import AT, CONFIG
from mmengine.config import Config

from topkd.utils.checkpoint import load_file
from topkd.utils.files import write_json
from topkd.utils.student_state import student_path

TRAIN = Path(__file__).resolve().parent.parent / 'tools/train.py'
COHORT = 'cohort'


class Seconds(NamedTuple):
    """Time that processes took."""

    clock: float = 0.0
    processor: float = 0.0

    @classmethod
    def now(cls) -> 'Seconds':
        """Return the time on the clock, and the processor's for all processes that were waited for."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return cls(time.monotonic(), usage.ru_utime + usage.ru_stime)

    def plus(self, start: 'Seconds', end: 'Seconds') -> 'Seconds':
        """Add the time between two moments."""
        return Seconds(*(value + after - before for value, before, after in zip(self, start, end)))


def configs(args: argparse.Namespace) -> dict[str, Config]:
    """Return the configs of all trainings, by name: the cohort first."""
    cfg = Config.fromfile(CONFIG)
    cfg.data_root = args.data_root
    cfg.train_dataloader.dataset.indices = args.images
    cfg.train_dataloader.batch_size = args.batch
    cfg.train_cfg.max_epochs = args.epochs
    cfg.model.teacher.update(checkpoint=args.teacher, floor=None)
    cfg.model.members.AT = dict(student=cfg.model.members.plain.student, losses=dict(at=AT))
    for member in cfg.model.members.values():
        if 'topology' in member.losses:
            member.losses.topology.cloud.num_points = args.batch
    if args.test_images:
        cfg.val_dataloader.dataset.indices = args.test_images
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if not hook.type.endswith('TeacherEvaluationHook')]
    found = {COHORT: cfg}
    for name, member in cfg.model.members.items():
        found[name] = Config(cfg.to_dict())
        single = dict(type='topkd.Distiller', teacher=cfg.model.teacher, **member)
        found[name].model = single if member.losses else member.student
        if not member.losses:
            found[name].custom_hooks = [hook for hook in cfg.custom_hooks if 'Student' not in hook.type]
    return found


def train(cfg: Config, folder: Path, epochs: int) -> Seconds:
    """Train, or go on with, one config, and return the time that all calls took together."""
    timing, done = folder / 'seconds.json', folder / f'epoch_{epochs}.pth'
    seconds = Seconds(*json.loads(timing.read_text())) if timing.is_file() else Seconds()
    if done.is_file() and timing.is_file():
        return seconds
    folder.mkdir(parents=True, exist_ok=True)
    cfg.dump(folder / 'given.py')
    start = Seconds.now()
    try:
        command = [sys.executable, TRAIN, folder / 'given.py', '--work-dir', folder, '--resume']
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    finally:
        seconds = seconds.plus(start, Seconds.now())
        write_json(list(seconds), str(timing))
    return seconds


def differences(name: str, out: Path, epochs: int) -> int:
    """Count the tensors of a member that differ between the cohort and its own training."""
    cohort = load_file(student_path(str(out / COHORT / f'epoch_{epochs}.pth'), name))['state_dict']
    alone = out / name / f'epoch_{epochs}.pth'
    single = load_file(str(alone if name == 'plain' else student_path(str(alone))))['state_dict']
    return sum(not torch.equal(value, single[key]) for key, value in cohort.items())


def main() -> None:
    """Train, compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data-root', required=True, help='folder of CIFAR-100')
    parser.add_argument('--teacher', required=True, help='checkpoint of ResNet56')
    parser.add_argument('--images', type=int, default=10_000, help='of the training split (default: %(default)s)')
    parser.add_argument('--test-images', type=int, help='of the test split (default: all)')
    parser.add_argument('--epochs', type=int, default=3)
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/cohort_against_singles'))
    args = parser.parse_args()
    seconds: dict[str, Seconds] = {}
    for name, cfg in configs(args).items():
        seconds[name] = train(cfg, args.out / name, args.epochs)
        print(f'{name}: {seconds[name].clock:.0f} s, processor {seconds[name].processor:.0f} s', flush=True)
    cohort = json.loads((args.out / COHORT / 'results.json').read_text())
    print(f'\n{"member":<12}{"processor s alone":>18}{"cohort":>10}{"alone":>10}{"tensors that differ":>22}')
    for name, found in cohort['members'].items():
        alone = json.loads((args.out / name / 'results.json').read_text())
        tops = [result['last']['accuracy/top1'] for result in (found, alone)]
        count = differences(name, args.out, args.epochs)
        print(f'{name:<12}{seconds[name].processor:>18.0f}{tops[0]:>10.2f}{tops[1]:>10.2f}{count:>22}')
    print()
    for number, what in enumerate(('clock', 'processor')):
        together = seconds[COHORT][number]
        singles = sum(value[number] for name, value in seconds.items() if name != COHORT)
        ratio = together / singles
        print(f'{what}: cohort {together:.0f} s, six single trainings {singles:.0f} s: {ratio:.2f} (bar 0.7)')


if __name__ == '__main__':
    main()
