"""Plans: jobs in an order in which each finds what it needs, and the rows of a table that they fill."""

from dataclasses import dataclass, field
from typing import NamedTuple

from topkd.reproduction.jobs import Job
from topkd.reproduction.variants import Variant


class Row(NamedTuple):
    """A line of a table: a variant of a pair, and the names of the jobs that measure it."""

    pair: str
    variant: Variant
    jobs: tuple[str, ...]
    probe: str = ''


@dataclass
class Plan:
    """The jobs of a table, in order, and the rows that they fill.

    Attributes:
        jobs (dict[str, Job]): By name, as they are called.
        rows (list[Row]): Of the table.
        teachers (dict[str, tuple[str, str]]): Name and checkpoint by pair.
        members (dict[str, Job]): Students that a job trains beside others, by name; see
            :func:`topkd.reproduction.cohorts.together`.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    teachers: dict[str, tuple[str, str]] = field(default_factory=dict)
    members: dict[str, Job] = field(default_factory=dict)

    def add(self, job: Job) -> str:
        """Add a job, or find it, and return its name.

        Raises:
            ValueError: If another job of this name has another result.
        """
        known = self.jobs.setdefault(job.name, job)
        if known is not job and known.config is not job.config:
            known.check_same(job)
        return job.name

    def find(self, name: str) -> Job:
        """Return the job of a name, one that is called or a member of one."""
        return self.jobs[name] if name in self.jobs else self.members[name]

    def missing(self) -> list[Job]:
        """Return the jobs whose results do not exist yet."""
        return [job for job in self.jobs.values() if not job.is_done()]
