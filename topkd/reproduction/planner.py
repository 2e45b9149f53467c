"""From a table to its runs, in an order in which each finds what it needs, and to the jobs that share them out."""

from collections.abc import Sequence
from pathlib import Path

from topkd.reproduction.cohorts import together
from topkd.reproduction.job_builder import JobBuilder
from topkd.reproduction.operators import apart
from topkd.reproduction.plan import Plan
from topkd.reproduction.recipe import Recipe
from topkd.reproduction.tables import Table


class Planner:
    """Plan tables.

    Args:
        configs (Path): Folder of this package's configs.
        work_dir (Path): Folder of all runs; runs that tables share are found again here.
        seeds (Sequence[int]): Seeds of the students.
        epochs (int, optional): Length of all trainings of students and missing teachers. None: the recipes'.
        options (dict, optional): ``--cfg-options`` of all runs; those of a transfer begin with its name, as
            ``stl10.data_root``.
    """

    def __init__(
        self,
        configs: Path,
        work_dir: Path,
        seeds: Sequence[int],
        epochs: int | None = None,
        options: dict | None = None,
    ) -> None:
        self.seeds = list(seeds)
        self.recipe = Recipe(configs, work_dir, epochs, options)

    def plan(self, table: Table, pairs: Sequence[str] | None = None) -> Plan:
        """List the runs of a table.

        Args:
            table (Table): Which variants of which pairs.
            pairs (Sequence[str], optional): Other pairs than the table's: names or paths of configs.

        Raises:
            FileNotFoundError: If the pair is unknown, or the teacher neither at hand nor trained by a baseline.
            ValueError: If a folder holds a run of another config.
        """
        plan = Plan()
        jobs = JobBuilder(plan, self.recipe)
        for pair in pairs or table.pairs:
            plan.rows += table.measure.rows(jobs, self.recipe.runs(pair, table.variants, self.seeds))
        for job in plan.jobs.values():
            job.check()
        return plan


def arrange(plan: Plan, work_dir: Path, single: bool = False, places: int | None = None) -> Plan:
    """Return a plan in which one job trains the students that can share a training, and several train a RipsNet.

    Args:
        plan (Plan): With a training for each student and for each RipsNet.
        work_dir (Path): Folder of all runs.
        single (bool): Whether every student stays a training of its own. Defaults to False.
        places (int, optional): Jobs at once; with 1 a RipsNet is one job. None: as many as there are.
    """
    plan = plan if single else together(plan, work_dir)
    return plan if places == 1 else apart(plan)
