"""How long jobs take side by side, each after what it needs."""

from collections.abc import Mapping, Sequence

from topkd.reproduction.jobs import Job


def time_left(
    jobs: Sequence[Job], seconds: Mapping[str, float], places: int, elapsed: Mapping[str, float] | None = None
) -> float:
    """Return the seconds until the last of some jobs ends, if each starts as soon as there is a place for it.

    Args:
        jobs (Sequence[Job]): Not done; what they need besides is.
        seconds (Mapping[str, float]): Duration by name; a job without one counts as 0.
        places (int): Jobs at once.
        elapsed (Mapping[str, float], optional): Seconds since the start of those that run, by name.

    Example:
        >>> from pathlib import Path
        >>> from mmengine.config import Config
        >>> names = dict(teacher=(), KD=('teacher',), TopKD=('teacher',), plain=())
        >>> jobs = [Job(name, Config(), Path(), needs) for name, needs in names.items()]
        >>> time_left(jobs, dict(teacher=10, KD=20, TopKD=30, plain=15), places=2)
        45.0
        >>> time_left(jobs[1:], dict(KD=20, TopKD=30), places=2, elapsed=dict(TopKD=25))
        20.0
    """
    elapsed = elapsed or {}
    durations = {job.name: max(0.0, seconds.get(job.name, 0.0) - elapsed.get(job.name, 0.0)) for job in jobs}
    waiting = sorted(jobs, key=lambda job: job.name not in elapsed)  # those that run have their places
    free = [0.0] * places
    ends: dict[str, float] = {}
    while waiting:
        ready = [job for job in waiting if all(need in ends or need not in durations for need in job.needs)]
        starts = {job.name: max([min(free), *(ends.get(need, 0.0) for need in job.needs)]) for job in ready}
        job = min(ready, key=lambda job: starts[job.name])
        free.remove(min(free))
        ends[job.name] = starts[job.name] + durations[job.name]
        free.append(ends[job.name])
        waiting.remove(job)
    return max(ends.values(), default=0.0)
