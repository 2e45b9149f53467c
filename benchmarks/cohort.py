#!/usr/bin/env python3
"""What a cohort costs: against its floor, against single runs, and what the teacher and a student cost in it.

    python benchmarks/cohort.py [--device cuda] [--batch 64] [--repeats 15] [--threads 2] [--no-memory]

ResNet56-ResNet20 on random images. The variants of a row take turns in one process, so that a machine whose speed
drifts slows all of them; the table shows medians of the times, and of the ratios within a turn. Peak memory is that of
a process each, beyond its imports; on a GPU the allocator's.
"""

import argparse
import copy
import gc
import multiprocessing
import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope
from torch import nn
from turns import Row, measure

import topkd  # noqa: F401
from topkd.utils.allocator import keep_freed_memory

CONFIG = Path(__file__).resolve().parent.parent / 'configs/cohorts/resnet56-resnet20_cifar100.py'
AT = dict(type='topkd.ATLoss', student_tap='@maps', loss_weight=1000.0)
BARS = dict(floor='<= 1.05 x', singles='<= 0.7 x', teacher='<= 0.8 x', student='<= 0.85 x', memory=1.1)
Step = Callable[[dict], Any]


class Models:
    """The cohort of six, and its parts on their own.

    Args:
        device (str): Where to run.
        batch (int): Images; clouds hold all of them.
    """

    def __init__(self, device: str, batch: int) -> None:
        MMLogger.get_instance('benchmark', log_level='WARNING')
        self.cfg, self.device, self.batch = Config.fromfile(CONFIG), device, batch
        init_default_scope(self.cfg.default_scope)
        self.members = self.cfg.model.members.to_dict()
        self.members['AT'] = dict(student=self.members['plain']['student'], losses=dict(at=AT))
        for member in self.members.values():
            member.update(gradient_interval=0)
            if 'topology' in member['losses']:
                member['losses']['topology']['cloud']['num_points'] = batch
                member['losses']['topology']['vectorizer']['fit_batches'] = 1
        self.teacher = dict(self.cfg.model.teacher.to_dict(), checkpoint=None, floor=None)

    def cohort(self, names: Sequence[str] | None = None) -> Step:
        """Return the step of a cohort of some members; of all by default."""
        members = {name: self.members[name] for name in names or self.members}
        return self.step(dict(type='topkd.Cohort', teacher=self.teacher, members=members))

    def copies(self, name: str, count: int) -> Step:
        """Return the step of a cohort of equal members."""
        members = {f'{name}{number}': self.members[name] for number in range(count)}
        return self.step(dict(type='topkd.Cohort', teacher=self.teacher, members=members))

    def single(self, name: str) -> Step:
        """Return the step of a member's own training; a plain one has no teacher."""
        member = self.members[name]
        if not member['losses']:
            return self.step(member['student'])
        return self.step(dict(type='topkd.Distiller', teacher=self.teacher, **member))

    def step(self, model: dict, memory_format: torch.memory_format | None = None) -> Step:
        """Build a model and its optimizer, and return the step of a batch."""
        built = self.build(model)
        fastest = torch.channels_last if self.device == 'cpu' else torch.contiguous_format
        built.to(memory_format=memory_format or fastest).train()
        wrapper: OptimWrapper = build_optim_wrapper(built, copy.deepcopy(self.cfg.optim_wrapper))
        return lambda batch: built.train_step(copy.copy(batch), wrapper)

    def build(self, model: dict) -> nn.Module:
        """Build a model on the device, from a copy of its config."""
        torch.manual_seed(0)
        built = MODELS.build(copy.deepcopy(dict(model, data_preprocessor=self.cfg.data_preprocessor.to_dict())))
        built.init_weights()
        return built.to(self.device)


def batches(batch: int) -> Callable[[], dict]:
    """Return a function that hands out the same random images."""
    generator = torch.Generator().manual_seed(0)
    images = dict(
        inputs=torch.randint(0, 256, (batch, 3, 32, 32), generator=generator, dtype=torch.uint8),
        gt_label=torch.randint(0, 100, (batch,), generator=generator),
        sample_idx=torch.arange(batch),
    )
    return lambda: images


def in_turn(steps: Sequence[Step]) -> Step:
    """Return a step that takes all steps, one after the other."""

    def all_of_them(batch: dict) -> None:
        for step in steps:
            step(batch)

    return all_of_them


def teacher_forward(models: Models, as_loaded: bool) -> Step:
    """Return the teacher's forward to its pooled vector and logits, as it was loaded or as a training runs it."""
    distiller = models.build(dict(type='topkd.Distiller', teacher=models.teacher, **models.members['KD']))
    preprocessor, taps = distiller.data_preprocessor, ['neck[0]', 'head.fc']

    def forward(batch: dict) -> None:
        data = preprocessor(copy.copy(batch), True)
        distiller.teacher.features(data['inputs'], taps, preprocessor, as_loaded=as_loaded)

    return forward


def rows(models: Models, batch: int) -> list[Row]:
    """Return the rows; in each the first variant is what the others are compared with."""
    given, plain = batches(batch), models.members['plain']['student']
    found = []
    for count in (1, 6):
        floor = in_turn([teacher_forward(models, as_loaded=False), *(models.single('plain') for _ in range(count))])
        variants = {f'teacher and {count} plain students': floor, 'cohort': models.copies('KD', count)}
        found.append(Row(f'cohort of {count} with KD', BARS['floor'], given, variants, 'the time'))
    singles = in_turn([models.single(name) for name in models.members])
    variants = {'six single steps': singles, 'cohort of six': models.cohort()}
    found.append(Row(f'cohort of {", ".join(models.members)}', BARS['singles'], given, variants, 'the time'))
    variants = {'as it was loaded': teacher_forward(models, True), 'in a training': teacher_forward(models, False)}
    found.append(Row("teacher's forward", BARS['teacher'], given, variants, 'the time'))
    variants = {
        'contiguous': models.step(plain, torch.contiguous_format),
        'channels_last': models.step(plain, torch.channels_last),
    }
    found.append(Row('step of a plain student', BARS['student'], given, variants, 'the time'))
    return found


def resident(which: str) -> float:
    """Return a number of /proc/self/status in MiB: VmRSS, what is resident now, or VmHWM, the peak since the reset."""
    lines = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())
    return int(lines[which].split()[0]) / 2**10


def peak(device: str, batch: int, what: str, queue: multiprocessing.Queue) -> None:
    """Report the peak memory of a process that takes a few steps, in MiB beyond its imports, and a student's size."""
    models = Models(device, batch)
    student = models.build(models.members['plain']['student'])
    Models(device, 4).cohort()(batches(4)())  # makes imports and pages in code now, of which some members need less
    weights = sum(tensor.numel() * tensor.element_size() for tensor in student.parameters()) / 2**20
    gc.collect()
    Path('/proc/self/clear_refs').write_text('5')  # imports have a peak of their own
    before = resident('VmRSS')
    step = models.cohort() if what == 'cohort' else models.single(what)
    for _ in range(3):
        step(batches(batch)())
    found = torch.cuda.max_memory_allocated() / 2**20 if device == 'cuda' else resident('VmHWM') - before
    queue.put((found, 2 * weights))  # and SGD's momentum


def memory(device: str, batch: int, members: int) -> None:
    """Print the peak of a cohort against that of its most demanding member and the weights and momenta of all."""
    # what is freed goes back to the system, so that what is used counts, not what the allocator keeps between members
    os.environ['MALLOC_MMAP_THRESHOLD_'] = '65536'
    context, found = multiprocessing.get_context('spawn'), {}
    for what in ('AT', 'cohort'):
        queue = context.Queue()
        process = context.Process(target=peak, args=(device, batch, what, queue))
        process.start()
        found[what], state = queue.get()
        process.join()
    floor = found['AT'] + members * state
    print(f'\npeak memory beyond imports   (bar: {BARS["memory"]} x)')
    print(f'  {"AT alone + weights and momenta":32}{floor:10.1f} MiB {1:9.2f} x')
    print(f'  {"cohort of six":32}{found["cohort"]:10.1f} MiB {found["cohort"] / floor:9.2f} x')


def main() -> None:
    """Measure, and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--repeats', type=int, default=15)
    parser.add_argument('--threads', type=int, default=None)
    parser.add_argument('--no-memory', action='store_true', help='leave out the peak memory')
    args = parser.parse_args()
    keep_freed_memory()  # as tools/train.py does
    if args.threads:
        torch.set_num_threads(args.threads)
    hardware = torch.cuda.get_device_name() if args.device == 'cuda' else platform.processor() or platform.machine()
    print(f'{hardware}, {torch.get_num_threads()} threads, torch {torch.__version__}, batch {args.batch}')
    models = Models(args.device, args.batch)
    for row in rows(models, args.batch):
        measure(row, args.repeats)
    if not args.no_memory:
        memory(args.device, args.batch, len(models.members))


if __name__ == '__main__':
    main()
