"""The trainings of a RipsNet's operators as jobs of their own, to run them side by side."""

from dataclasses import replace

from topkd.reproduction.jobs import Job
from topkd.reproduction.plan import Plan


def apart(plan: Plan) -> Plan:
    """Return a plan in which the operators of every missing RipsNet are trained each by a job.

    Args:
        plan (Plan): With one training for each RipsNet.
    """
    jobs: dict[str, Job] = {}
    for job in plan.jobs.values():
        jobs.update({part.name: part for part in ([job] if job.is_done() else job.parts())})
    return replace(plan, jobs=jobs)
