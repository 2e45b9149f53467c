"""The command line of a study: plan, cost, run stage by stage, report."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from topkd.cli import Options
from topkd.reproduction.command import add_places, make_queue, run_plan, tell
from topkd.reproduction.needs import check_plan
from topkd.reproduction.study.cost import Cost
from topkd.reproduction.study.jobs import StageJobs, StagePlan
from topkd.reproduction.study.ledger import Ledger
from topkd.reproduction.study.protocol import Study
from topkd.reproduction.study.report import write_report
from topkd.reproduction.study.stages import STAGES

Say = Callable[[str], None]


def arguments(words: Sequence[str], root: Path) -> argparse.Namespace:
    """Read the command line.

    Args:
        words (Sequence[str]): Behind ``study``.
        root (Path): Folder of the project, with its configs.
    """
    parser = argparse.ArgumentParser(
        'reproduce.py study', description='Does topology help? Run what is missing of the study of docs/study.md.'
    )
    parser.add_argument(
        '--config', type=Path, default=root / 'configs/study/topology.py', help='the study (default: %(default)s)'
    )
    parser.add_argument('--until', choices=STAGES, help='the last stage to run (default: all)')
    add_places(parser)
    parser.add_argument('--dry-run', action='store_true', help='print the plan with its cost, and end')
    parser.add_argument('--no-estimate', action='store_true', help='do not time a few steps first')
    parser.add_argument(
        '--work-dir', type=Path, default=Path('work_dirs/study'), help='folder of all runs (default: %(default)s)'
    )
    parser.add_argument(
        '--ledger', type=Path, default=Path('studies/topology'), help='folder of finished runs (default: %(default)s)'
    )
    parser.add_argument(
        '--document',
        type=Path,
        default=root / 'docs/study.md',
        help='file whose tables and figures are brought up to date (default: %(default)s)',
    )
    parser.add_argument('--cfg-options', nargs='+', action=Options, help='entries to override in both pairs')
    return parser.parse_args(words)


def run_study(words: Sequence[str], tools: Path, say: Say) -> None:
    """Run a study from the command line.

    Args:
        words (Sequence[str]): Behind ``study``.
        tools (Path): Folder of this package's tools.
        say (Callable): Prints a line of progress.
    """
    args = arguments(words, tools.parent)
    MMLogger.get_instance('study', log_level='ERROR')  # the runs have their own logs
    init_default_scope('mmpretrain')
    queue = make_queue(args, tools)
    ledger = Ledger(args.ledger, Study(args.config, args.cfg_options))
    jobs, cost = StageJobs(ledger, args.work_dir), None if args.no_estimate else Cost()
    if not args.dry_run:
        write_report(ledger, args.document)
    for name, stage in STAGES.items():
        plan = jobs.plan(stage)
        if plan.jobs:
            say(f'stage {name}{_priced(cost.hours(plan.cohorts)) if cost else ""}')
            _show(plan)
            if args.dry_run:
                say('what the later stages run depends on this one')
                return
            check_plan(plan)
            tell(run_plan(plan, queue, say, lambda: write_report(ledger, args.document)))
        say(f'stage {name} is done')
        write_report(ledger, args.document)
        if name == args.until:
            return


def _show(plan: StagePlan) -> None:
    """Print the jobs to do, and below a cohort its runs."""
    runs = {cohort.name: cohort.runs for cohort in plan.cohorts}
    for job in plan.missing():
        print(f'    {job.name}', *(f'        {run.name}' for run in runs.get(job.name, ())), sep='\n')


def _priced(hours: float) -> str:
    return f', about {hours:.2f} core-hours for the students'
