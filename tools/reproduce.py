#!/usr/bin/env python3
"""Rerun a table of the paper: plan its runs, do what is missing, and put paper and ours side by side.

    python tools/reproduce.py table6 --dry-run
    python tools/reproduce.py table6 --seeds 3
    python tools/reproduce.py table6 --pairs resnet20-resnet8_digits --seeds 3 --device cpu --jobs 2
    python tools/reproduce.py table1 --cluster slurm --partition gpu --time 12:00:00
    python tools/reproduce.py study --help

The study of docs/study.md has arguments of its own. A run that is finished is never done again, and tables share
theirs; after a kill, the same command goes on.
"""

import argparse
import re
import shlex
import sys
import time
from pathlib import Path

from mmengine.logging import MMLogger

import topkd  # noqa: F401
from topkd.cli import Options, Parser, count, repetitions, tool
from topkd.reproduction.command import add_places, make_queue, run_plan, tell
from topkd.reproduction.costs import StepCosts
from topkd.reproduction.plan import Plan
from topkd.reproduction.planner import Planner, arrange
from topkd.reproduction.queue import Queue
from topkd.reproduction.report import Report
from topkd.reproduction.tables import TABLES, Table
from topkd.reproduction.time_left import time_left

TOOLS = Path(__file__).resolve().parent
BEGIN = time.time()
NOT_COUNTED = 'validations, the start of each run, RipsNet in the steps of students'
# options that leave the recipe as it is
WITHOUT_EFFECT = re.compile(r'(.*\.)?(data_root|num_workers|persistent_workers|checkpoint)$|default_hooks\.')


def say(text: str) -> None:
    """Print a line of progress with the time since the start."""
    print(f'[{time.time() - BEGIN:6.0f} s] {text}', flush=True)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    listed = '\n'.join(f'  {name:<9} {table.title}' for name, table in TABLES.items())
    parser = Parser(
        description=__doc__, epilog=f'tables:\n{listed}', formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('table', choices=TABLES, metavar='TABLE', help='one of the tables below')
    what = parser.add_argument_group('what is run')
    what.add_argument(
        '--pairs', nargs='+', help="other pairs than the table's: names in configs/topkd, or paths of configs"
    )
    what.add_argument(
        '--methods',
        type=lambda words: words.split(','),
        help='some rows of the table, for example at,crd,topkd; plain student and KD control always stay',
    )
    what.add_argument('--seeds', type=repetitions, default=5, help='runs of each student (default: 5, as in the paper)')
    what.add_argument(
        '--epochs', type=count, help="length of all trainings, schedules shrunk alike (default: the recipe's)"
    )
    what.add_argument(
        '--single',
        action='store_true',
        help='train every student in a run of its own, not those of one teacher, data and schedule as a cohort',
    )
    what.add_argument(
        '--cfg-options',
        nargs='+',
        action=Options,
        help='entries to override in all runs, for example data_root=data/cifar100',
    )
    add_places(parser)
    parser.add_argument('--dry-run', action='store_true', help='print the plan, and end')
    parser.add_argument(
        '--estimate', action='store_true', help='time a few steps of every kind of run, and say how long the plan takes'
    )
    parser.add_argument(
        '--work-dir', type=Path, default=Path('work_dirs/reproduce'), help='folder of all runs (default: %(default)s)'
    )
    parser.add_argument(
        '--results', type=Path, default=Path('results'), help='folder of the reports (default: %(default)s)'
    )
    return parser.parse_args()


def show(plan: Plan) -> None:
    """Print the plan."""
    missing = {job.name for job in plan.missing()}
    for number, name in enumerate(plan.jobs, start=1):
        print(f'{number:>4}  {name:<60} {"" if name in missing else "done":>10}'.rstrip())
        for member in plan.jobs[name].members:
            print(f'      - {member.name}')
    print(f'{len(missing)} of {len(plan.jobs)} runs to do', flush=True)


def show_estimate(plan: Plan, queue: Queue) -> None:
    """Time a few steps of every kind of run, and print what a run and the whole plan would take."""
    from topkd.reproduction.estimate import estimate, readable  # models and data sets, which a plan can do without

    seconds, problems = estimate(plan, queue.threads)
    for name, value in seconds.items():
        print(f'      {name:<60} {readable(value):>10}')
    for problem in problems:
        print(f'      {problem}')
    side = f'{queue.capacity} at once' if queue.capacity else 'all at once that can be'
    missing = plan.missing()
    total = readable(time_left(missing, seconds, queue.capacity or len(missing)))
    left_out = ', '.join([NOT_COUNTED, *['runs without an estimate'] * bool(problems)])
    print(f'about {total} at the speed of this machine, {side}; not counted: {left_out}', flush=True)


def departures(args: argparse.Namespace) -> list[str]:
    """Say in what the runs differ from the recipe."""
    result = []
    if args.epochs is not None:
        result.append(
            f"Every training is cut to {args.epochs} epochs: these figures cannot be compared with the paper's."
        )
    changed = [f'{key}={value}' for key, value in (args.cfg_options or {}).items() if not WITHOUT_EFFECT.match(key)]
    if changed:
        result.append(f'The recipe was changed by {", ".join(changed)}.')
    return result


def suffix(args: argparse.Namespace) -> str:
    """Name the report of other pairs, of some methods or of short trainings apart from the table's own."""
    pairs = [Path(pair).stem for pair in args.pairs or []]
    parts = [*pairs, '-'.join(args.methods or []), f'{args.epochs}epochs' if args.epochs else '']
    return ''.join(f'_{part}' for part in parts if part)


def read_table(args: argparse.Namespace) -> Table:
    """Return the table, or some of its rows."""
    table = TABLES[args.table]
    return table if args.methods is None else table.only(args.methods)


def make_plan(args: argparse.Namespace, queue: Queue) -> Plan:
    """Plan the table: students together that share a training, RipsNet's operators apart if they can run at once."""
    planner = Planner(TOOLS.parent / 'configs', args.work_dir, range(args.seeds), args.epochs, args.cfg_options)
    return arrange(planner.plan(read_table(args), args.pairs), args.work_dir, args.single, queue.capacity)


@tool(go_on='the same command goes on where it stopped')
def main() -> None:
    if sys.argv[1:2] == ['study']:
        from topkd.reproduction.study.command import run_study

        run_study(sys.argv[2:], TOOLS, say)
        return
    args = arguments()
    MMLogger.get_instance('reproduce', log_level='ERROR')  # the runs have their own logs
    queue = make_queue(args, TOOLS)
    plan = make_plan(args, queue)
    show(plan)
    from topkd.reproduction.needs import check_plan, missing_from  # networks and data sets, which a plan can do without

    if args.dry_run:
        lacking = missing_from(plan)
        if lacking.problems:
            print(f'before the first run: {lacking}')
    else:
        check_plan(plan)
    if args.estimate and plan.missing():
        show_estimate(plan, queue)
    if args.dry_run:
        return
    command = shlex.join(['python', 'tools/reproduce.py', *sys.argv[1:]])
    costs = StepCosts.read(args.results)
    report = Report(args.table, read_table(args), plan, command, departures(args), queue.hardware, costs)
    failures = run_plan(plan, queue, say, lambda: report.write(args.results, suffix(args)))
    path = report.write(args.results, suffix(args))
    print(f'\n{path.read_text(encoding="utf-8")}\nWritten to {path} and {path.with_suffix(".json")}', flush=True)
    tell(failures)


if __name__ == '__main__':
    main()
