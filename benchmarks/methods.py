#!/usr/bin/env python3
"""What a training step of every method costs, relative to KD's and to a hand-written loop of the same mathematics.

    python benchmarks/methods.py [--device cuda] [--batch 64] [--repeats 7] [--methods at crd ...]
        [--output results/methods_cost.json]

All methods, each beside its hand-written loop, take turns on the same batch in one process, so that a machine whose
speed drifts slows all of them. The loop runs the same student, the same teacher, which is folded as in a training, and
the same loss on features that hooks keep for good, adds cross entropy and steps SGD: no distiller, no optimizer
wrapper, no checks, no log.

The file has, for each method by the name that it has in the tables of tools/reproduce.py, medians over the turns::

    {"methods": {"AT": {"ms": 310.2,                    milliseconds of a step
                        "ratio_kd": 1.02,               to KD's step, within a turn
                        "ratio_loop": 1.01,             to the hand-written loop, within a turn; the bar is 1.1
                        "added_parameters": 0,          that learn beside the student's own
                        "peak_memory_bytes": 81200000,  allocated in a step beyond what was before it
                        "memory_ratio_kd": 1.0}},
     "environment": {"device": "cpu", "processor": "...", "threads": 2, "torch": "...", "pair": "...", "batch": 64,
                     "repeats": 7}}
"""

import argparse
import copy
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope
from torch import Tensor, nn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

import topkd  # noqa: F401
from topkd.models.losses.distillation_loss import DistillationLoss
from topkd.models.taps.tap import as_list, pick
from topkd.models.taps.tap_paths import Place, locate
from topkd.models.taps.tap_views import viewed
from topkd.reproduction.tables import TABLES
from topkd.utils.files import write_json

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
PAIR = 'resnet56-resnet20_cifar100'
IMAGES = 50_000
BAR = 1.1
RATE = 1e-12  # a random teacher would drive the students to infinity


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
        cfg.optim_wrapper.optimizer.lr = RATE
        self.wrapper = build_optim_wrapper(self.model, cfg.optim_wrapper)
        learning = [value for value in self.model.parameters() if value.requires_grad]
        plain = [value for value in self.model.student.backbone.parameters() if value.requires_grad]
        classifier = [value for value in self.model.student.head.parameters() if value.requires_grad]
        self.learned = sum(value.numel() for value in learning) - sum(value.numel() for value in plain + classifier)

    def __call__(self, batch: dict) -> None:
        self.model.train_step(batch, self.wrapper)


class Watched:
    """A network whose taps are kept by hooks that stay.

    Args:
        network (nn.Module): A classifier.
        taps (str | list[str]): Of a loss.
    """

    def __init__(self, network: nn.Module, taps: str | list[str]) -> None:
        self.network, self.taps = network, taps
        self.kept: dict[str, Tensor] = {}
        for path in as_list(taps):
            self._watch(path)

    def features(self) -> Tensor | list[Tensor]:
        """Return what the last forward pass showed at the taps."""
        return self.kept[self.taps] if isinstance(self.taps, str) else [self.kept[path] for path in self.taps]

    def _watch(self, path: str) -> None:
        place = locate(self.network, path)
        if place.part == 'weights':
            self.kept[path] = getattr(place.module, place.parameter)
        elif place.part == 'input':
            place.module.register_forward_pre_hook(lambda module, args: self._keep(path, place, args))
        else:
            place.module.register_forward_hook(lambda module, args, output: self._keep(path, place, output))

    def _keep(self, path: str, place: Place, values: Any) -> None:
        for index in place.indices:
            values = values[index]
        self.kept[path] = viewed(path, place.view, values)


class HandWritten:
    """The loop that one would write without a framework, on copies of the networks and the loss of a step."""

    def __init__(self, step: Step) -> None:
        model = step.model
        (loss,) = model.losses.values()
        self.preprocess, self.weight = copy.deepcopy(model.data_preprocessor), model.student_loss_weight
        self.loss = copy.deepcopy(loss)
        self.student = Watched(copy.deepcopy(model.student), loss.student_tap)
        self.teacher, self.of_student = model.teacher, model.data_preprocessor
        self.weight *= model.student.head.loss_module.loss_weight
        learning = [*self.student.network.parameters(), *self.loss.parameters()]
        self.optimizer = torch.optim.SGD(
            [value for value in learning if value.requires_grad], lr=RATE, momentum=0.9, weight_decay=5e-4
        )

    def __call__(self, batch: dict) -> float:
        data = self.preprocess(batch, True)
        inputs, samples = data['inputs'], data['data_samples']
        taps = self.loss.teacher_tap
        target = pick(self.teacher.features(inputs, as_list(taps), self.of_student, samples), taps)
        logits = self.student.network.head(self.student.network.extract_feat(inputs))
        total = self.loss(self.student.features(), target, samples)
        if self.weight:
            labels = torch.cat([sample.gt_label for sample in samples])
            total = total + self.weight * F.cross_entropy(logits, labels)
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        return total.item()


def timed(step: Callable[[dict], object], batch: dict, device: str) -> float:
    """Return the milliseconds of one step."""
    if device != 'cpu':
        torch.cuda.synchronize()
    begin = time.perf_counter()
    step(batch)
    if device != 'cpu':
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - begin)


def peak_memory(step: Callable[[dict], object], batch: dict, device: str) -> int:
    """Return how many bytes a step holds at most beyond what was allocated before it."""
    if device != 'cpu':
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step(batch)
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as trace:
        step(batch)
    # the allocations and releases themselves; the profiler's tables add them up by operator
    changes = [event for event in trace.profiler.kineto_results.events() if event.name() == '[memory]']
    held = most = 0
    for event in sorted(changes, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


def names() -> dict[str, str]:
    """Return the name of every method in the tables of tools/reproduce.py by that of its file."""
    return {variant.word: variant.name for table in TABLES.values() for variant in table.variants}


def measure(paths: dict[str, Path], args: argparse.Namespace) -> dict[str, dict]:
    """Let all methods take turns and return the medians by the methods' names."""
    steps = {name: Step(paths[name], args.batch, args.device) for name in paths}
    loops = {name: HandWritten(step) for name, step in steps.items()}
    generator = torch.Generator().manual_seed(0)
    batch = dict(
        inputs=torch.randint(0, 256, (args.batch, 3, 32, 32), generator=generator, dtype=torch.uint8),
        gt_label=torch.randint(0, 100, (args.batch,), generator=generator),
        sample_idx=torch.randperm(IMAGES, generator=generator)[: args.batch],
    )
    turns: list[dict[str, tuple[float, float]]] = []
    for turn in range(args.repeats + 1):
        taken = {}
        for name, step in steps.items():
            # either goes first in every second turn
            order = (step, loops[name]) if turn % 2 else (loops[name], step)
            times = {id(each): timed(each, batch, args.device) for each in order}
            taken[name] = (times[id(step)], times[id(loops[name])])
        turns += [taken] if turn else []  # the first one warms up
    memory = {name: peak_memory(step, batch, args.device) for name, step in steps.items()}
    return {
        name: dict(
            ms=median(turn[name][0] for turn in turns),
            ratio_kd=median(turn[name][0] / turn['kd'][0] for turn in turns),
            ratio_loop=median(turn[name][0] / turn[name][1] for turn in turns),
            added_parameters=step.learned,
            peak_memory_bytes=memory[name],
            memory_ratio_kd=memory[name] / memory['kd'],
        )
        for name, step in steps.items()
    }


def main() -> None:
    """Print the table and write the file."""
    paths = {path.stem.split('_')[0]: path for path in sorted((CONFIGS / 'methods').glob(f'*_{PAIR}.py'))}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument('--methods', nargs='+', choices=sorted(paths), default=sorted(paths))
    parser.add_argument('--output', type=Path, default=Path('results/methods_cost.json'))
    args = parser.parse_args()
    chosen = ['kd', *(name for name in args.methods if name != 'kd')]
    found = measure({name: paths[name] for name in chosen}, args)
    where = torch.cuda.get_device_name() if args.device != 'cpu' else platform.processor() or platform.machine()
    environment = dict(
        device=args.device,
        processor=where,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        pair=PAIR,
        batch=args.batch,
        repeats=args.repeats,
    )
    print(', '.join(f'{key} {value}' for key, value in environment.items()))
    print(f'\n{"method":<10}{"ms":>9}{"x KD":>8}{"x loop":>8}{"added parameters":>20}{"memory x KD":>14}')
    for name, row in found.items():
        late = '' if row['ratio_loop'] <= BAR else f'   above {BAR}'
        print(
            f'{name:<10}{row["ms"]:>9.1f}{row["ratio_kd"]:>8.2f}{row["ratio_loop"]:>8.2f}{row["added_parameters"]:>20,}'
            f'{row["memory_ratio_kd"]:>14.2f}{late}'
        )
    args.output.parent.mkdir(parents=True, exist_ok=True)
    named = names()
    rows = {named.get(name, name.upper()): row for name, row in found.items()}
    write_json(dict(methods=rows, environment=environment), args.output)
    print(f'\nwritten to {args.output}')


if __name__ == '__main__':
    main()
