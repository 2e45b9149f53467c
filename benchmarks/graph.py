#!/usr/bin/env python3
"""What a cohort's step costs on a GPU: eagerly, with a compiled teacher, and captured in a CUDA graph.

    python benchmarks/graph.py [--members 1 4 10] [--batch 64] [--repeats 30]

ResNet56-ResNet20 on random images; the members are those of benchmarks/cohort.py in turn. The variants of a row take
turns in one process; the table shows medians of the times, and of the ratios within a turn. Without a GPU one sentence
says so; --rehearse runs the script on the CPU then, where the step's function stands in for its graph and the figures
mean nothing.
"""

import argparse
import platform
from collections.abc import Callable

import torch
from cohort import Models, batches
from mmengine.optim import OptimWrapper
from turns import Row, measure

from topkd.graphs import CudaGraphs, GraphBackend, GraphedStep, obstacle
from topkd.graphs.graphed_step import WARMUP
from topkd.graphs.requirements import use_fused_step

UNTIL_CAPTURED = WARMUP + 4  # the eager steps in which images are fitted, the warm-up, and the capture


class Rehearsal(GraphBackend):
    """Call the function in the place of a graph."""

    def aside(self, function: Callable) -> torch.Tensor:
        """Call it."""
        return function()

    def capture(self, function: Callable) -> Callable:
        """Return it."""
        return function

    def random_state(self) -> torch.Tensor:
        """Return the CPU's."""
        return torch.get_rng_state()


def step(models: Models, count: int, how: str, backend: GraphBackend) -> Callable[[dict], object]:
    """Return the step of a cohort, which has been captured if it is to be.

    Args:
        models (Models): Of benchmarks/cohort.py.
        count (int): Members.
        how (str): 'eager', 'compiled' or 'graphed'.
        backend (GraphBackend): What captures.
    """
    names = list(models.members)
    chosen = [names[number % len(names)] for number in range(count)]
    members = {f'{name}{number}': models.members[name] for number, name in enumerate(chosen)}
    teacher = dict(models.teacher, compile=how == 'compiled')
    model = models.build(dict(type='topkd.Cohort', teacher=teacher, members=members)).train()
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4))
    if how == 'graphed':
        reason = obstacle(model, wrapper)
        if reason is not None:
            raise RuntimeError(reason)
        use_fused_step(wrapper.optimizer)
        model.step = graphed = GraphedStep(model, backend)
        given = batches(models.batch)
        for _ in range(UNTIL_CAPTURED):
            model.train_step(dict(given()), wrapper)
        if not graphed.replays:
            raise RuntimeError('no step was captured: see the log above')
    return lambda batch: model.train_step(dict(batch), wrapper)


def main() -> None:
    """Measure, and print a row for each number of members."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--members', type=int, nargs='+', default=[1, 4, 10])
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--repeats', type=int, default=30)
    parser.add_argument('--rehearse', action='store_true', help='on the CPU, to see that the script runs')
    args = parser.parse_args()
    if not torch.cuda.is_available() and not args.rehearse:
        print('nothing was measured: CUDA graphs need a GPU, and this machine has none (--rehearse runs the script)')
        return
    device = 'cpu' if args.rehearse else 'cuda'
    backend = Rehearsal() if args.rehearse else CudaGraphs(torch.device(device, torch.cuda.current_device()))
    hardware = 'rehearsal' if args.rehearse else torch.cuda.get_device_name()
    print(f'{hardware}, {platform.machine()}, torch {torch.__version__}, batch {args.batch}')
    models = Models(device, args.batch)
    for count in args.members:
        kinds = ('eager', 'graphed') if args.rehearse else ('eager', 'compiled', 'graphed')
        variants = {kind: step(models, count, kind, backend) for kind in kinds}
        measure(Row(f'cohort of {count}', '', batches(args.batch), variants, 'the time'), args.repeats)


if __name__ == '__main__':
    main()
