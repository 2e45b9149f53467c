"""Run the jobs of a plan a few at a time on one machine."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from topkd.reproduction.execution import run_job
from topkd.reproduction.jobs import Job
from topkd.reproduction.plan import Plan

Say = Callable[[str], None]


def run_side_by_side(plan: Plan, tools: Path, variables: dict[str, str], say: Say, jobs: int) -> None:
    """Run what is missing of a plan, each job after those that it needs.

    If one fails, those that do not need it still run.

    Args:
        plan (Plan): The jobs, each behind those that it needs.
        tools (Path): Folder of this package's tools.
        variables (dict): Environment of the jobs.
        say (Callable): Prints a line of progress.
        jobs (int): How many run at the same time.

    Raises:
        ValueError: If a job failed: the first one's sentence.
    """

    def run(job: Job, before: Sequence[Future]) -> None:
        # jobs start in the plan's order, so those that are waited for are running or done
        for future in before:
            future.result()
        say(f'{job.name} ...')
        run_job(job, tools, variables)
        say(f'{job.name} is done')

    started: dict[str, Future] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for job in plan.missing():
            started[job.name] = pool.submit(run, job, [started[name] for name in job.needs if name in started])
    for future in started.values():
        future.result()
