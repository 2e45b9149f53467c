"""What commands that run plans have in common: where it is run, signals, and what is said of failures."""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from topkd.cli import Options, count
from topkd.reproduction.devices import visible_gpus
from topkd.reproduction.execution import Execution, Look, Say
from topkd.reproduction.local_queue import LocalQueue
from topkd.reproduction.plan import Plan
from topkd.reproduction.queue import Queue
from topkd.reproduction.slurm_queue import SlurmQueue, read_minutes

DAY = '1-00:00:00'


def add_places(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where a plan is run; :func:`make_queue` reads them."""
    where = parser.add_argument_group('where it is run')
    where.add_argument(
        '--jobs', type=count, help='runs at once (default: 1 on this machine; on a cluster as many as there are)'
    )
    where.add_argument('--device', help='cpu, cuda or cuda:N (default: GPUs where there are any)')
    where.add_argument(
        '--gpus', type=count, help='GPUs of a training, which share its batch (default: 1; other runs take 1)'
    )
    where.add_argument('--cluster', choices=['slurm'], help='run on a cluster instead of this machine')
    where.add_argument('--partition', help="of the cluster (default: the cluster's own)")
    where.add_argument('--time', help=f'limit of a run on the cluster, which then is lined up again (default: {DAY})')
    where.add_argument('--cpus', type=count, help="cores of a run on the cluster (default: the cluster's own)")
    where.add_argument(
        '--sbatch', nargs='+', action=Options, help='more of what sbatch takes, for example account=vision mem=32G'
    )


def make_queue(args: argparse.Namespace, tools: Path) -> Queue:
    """Return where a plan is run.

    Args:
        args (argparse.Namespace): With the options of :func:`add_places`.
        tools (Path): Folder of this package's tools.

    Raises:
        ValueError: If options do not fit together, or what they ask for is not there.
    """
    if args.cluster == 'slurm':
        if args.device not in (None, 'cpu', 'cuda'):
            raise ValueError(f'--device {args.device}: on a cluster, which chooses GPUs itself, it is cpu or cuda')
        gpus = 0 if args.device == 'cpu' else args.gpus or 1
        minutes = read_minutes(args.time or DAY)
        return SlurmQueue(tools, args.jobs, gpus, args.partition, minutes, args.cpus, args.sbatch)
    given = [name for name in ('partition', 'time', 'cpus', 'sbatch') if getattr(args, name) is not None]
    if given:
        raise ValueError(f'--{given[0]} is of a cluster: give --cluster slurm, or leave it out')
    visible = visible_gpus(args.device)
    return LocalQueue(tools, args.jobs or 1, args.gpus or min(1, len(visible)), visible)


def run_plan(
    plan: Plan, queue: Queue, say: Say, after: Callable[[], object] = lambda: None, look: Look = lambda running: None
) -> list[str]:
    """Run what is missing of a plan; SIGINT and SIGTERM end this process with exit code 130 or 143 and a sentence.

    Args:
        plan (Plan): The jobs.
        queue (Queue): Where they run.
        say (Callable): Prints a line of progress.
        after (Callable): Called after every job, to bring a report up to date.
        look (Callable): Called several times a second with the jobs that run, by name.

    Returns:
        list[str]: One sentence for each job that failed.
    """
    execution = Execution(plan, queue, say, after, look)
    before = {number: signal.signal(number, execution.interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    outcome = execution.run()
    for number, handler in before.items():
        signal.signal(number, handler)
    if outcome is not None and execution.signal is not None:
        done = len(plan.jobs) - len(plan.missing())
        print(f'stopped with {done} of {len(plan.jobs)} runs done: {outcome}', file=sys.stderr)
        sys.exit(128 + execution.signal)
    return execution.sentences()


def tell(failures: list[str]) -> None:
    """Print what failed, and end this process with exit code 1 if anything did."""
    for sentence in failures:
        print(f'error: {sentence}', file=sys.stderr)
    if failures:
        sys.exit(1)
