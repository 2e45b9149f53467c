#!/usr/bin/env python3
"""Rerun a table of the paper: plan its runs, do what is missing, and put paper and ours side by side.

    python tools/reproduce.py table6 --seeds 3
    python tools/reproduce.py table6 --pairs resnet20-resnet8_digits --seeds 3 --device cpu
    python tools/reproduce.py study --help

The study of docs/study.md has arguments of its own. A run that is finished is never done again, and tables share
theirs; after a kill, the same command goes on.
"""

import argparse
import os
import re
import shlex
import sys
import time
from pathlib import Path

from mmengine.logging import MMLogger

import topkd  # noqa: F401
from topkd.cli import Options, count, tool
from topkd.reproduction.cohorts import together
from topkd.reproduction.estimate import estimate, readable
from topkd.reproduction.execution import environment, hand_over, run_plan
from topkd.reproduction.plan import Plan
from topkd.reproduction.planner import Planner
from topkd.reproduction.report import Report
from topkd.reproduction.study.command import run_study
from topkd.reproduction.tables import TABLES

TOOLS = Path(__file__).resolve().parent
BEGIN = time.time()
# options that leave the recipe as it is
WITHOUT_EFFECT = re.compile(r'(.*\.)?(data_root|num_workers|persistent_workers|checkpoint)$|default_hooks\.')


def say(text: str) -> None:
    """Print a line of progress with the time since the start."""
    print(f'[{time.time() - BEGIN:6.0f} s] {text}', flush=True)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    listed = '\n'.join(f'  {name:<9} {table.title}' for name, table in TABLES.items())
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=f'tables:\n{listed}', formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('table', choices=TABLES, metavar='TABLE', help='one of the tables below')
    parser.add_argument(
        '--pairs', nargs='+', help="other pairs than the table's: names in configs/topkd, or paths of configs"
    )
    parser.add_argument('--seeds', type=count, default=5, help='runs of each student (default: 5, as in the paper)')
    parser.add_argument(
        '--epochs', type=count, help="length of all trainings, schedules shrunk alike (default: the recipe's)"
    )
    parser.add_argument('--device', help='cpu, cuda or cuda:N (default: a GPU where there is one)')
    parser.add_argument('--dry-run', action='store_true', help='print the plan with its estimate, and end')
    parser.add_argument('--no-estimate', action='store_true', help='do not time a few steps of every kind of run first')
    parser.add_argument(
        '--single',
        action='store_true',
        help='train every student in a run of its own, not those of one teacher, data and schedule as a cohort',
    )
    parser.add_argument(
        '--launcher',
        help='hand the runs over instead of running them: a shell command with {script} or {command}, and {name}',
    )
    parser.add_argument(
        '--work-dir', type=Path, default=Path('work_dirs/reproduce'), help='folder of all runs (default: %(default)s)'
    )
    parser.add_argument(
        '--results', type=Path, default=Path('results'), help='folder of the reports (default: %(default)s)'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=Options,
        help='entries to override in all runs, for example data_root=data/cifar100',
    )
    return parser.parse_args()


def show(plan: Plan, timed: bool) -> None:
    """Print the plan, with what each missing run would take."""
    missing = {job.name for job in plan.missing()}
    seconds, problems = estimate(plan) if timed and missing else ({}, [])
    for number, (name, job) in enumerate(plan.jobs.items(), start=1):
        state = readable(seconds.get(name)) if name in missing else 'done'
        print(f'{number:>4}  {name:<60} {state:>10}')
        for member in job.members:
            print(f'{"":>6}  {member.name}')
    for problem in problems:
        print(f'      {problem}')
    total = f', about {readable(sum(seconds.values()))} on this machine' if seconds else ''
    print(
        f'{len(missing)} of {len(plan.jobs)} runs to '
        f'do{total}{" and those without an estimate" if problems and seconds else ""}',
        flush=True,
    )


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
    """Name the report of other pairs or of short trainings apart from the table's own."""
    pairs = [Path(pair).stem for pair in args.pairs or []]
    return ''.join(f'_{part}' for part in [*pairs, f'{args.epochs}epochs' if args.epochs else ''] if part)


@tool(go_on='the same command goes on where it stopped')
def main() -> None:
    if sys.argv[1:2] == ['study']:
        run_study(sys.argv[2:], TOOLS, say)
        return
    args = arguments()
    MMLogger.get_instance('reproduce', log_level='ERROR')  # the runs have their own logs
    variables = environment(args.device)
    os.environ.update(variables)  # before the first use of a GPU: the estimate runs here
    table = TABLES[args.table]
    planner = Planner(TOOLS.parent / 'configs', args.work_dir, range(args.seeds), args.epochs, args.cfg_options)
    plan = planner.plan(table, args.pairs)
    if not args.single:
        plan = together(plan, args.work_dir)
    command = shlex.join(['python', 'tools/reproduce.py', *sys.argv[1:]])
    report = Report(args.table, table, plan, command, departures(args), args.device)
    # a launcher's machine is another one, and it is called again and again
    show(plan, timed=not args.no_estimate and (args.launcher is None or args.dry_run))
    if args.dry_run:
        return
    if args.launcher is None:
        run_plan(plan, TOOLS, variables, say, lambda: report.write(args.results, suffix(args)))
    else:
        hand_over(plan, TOOLS, args.launcher, variables, say)
    path = report.write(args.results, suffix(args))
    print(f'\n{path.read_text(encoding="utf-8")}\nWritten to {path} and {path.with_suffix(".json")}', flush=True)


if __name__ == '__main__':
    main()
