"""Run a plan by a queue: submit what can be, look after it, and say how each job ended."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from topkd.reproduction.plan import Plan
from topkd.reproduction.queue import Queue, Submitted

Say = Callable[[str], None]
Look = Callable[[Mapping[str, Submitted]], object]
PAUSE = 0.2  # seconds between two looks at the jobs
STARTS = 4  # of a job that is killed each time


class Execution:
    """The jobs of a plan on their way through a queue.

    Args:
        plan (Plan): The jobs, in an order in which each finds what it needs.
        queue (Queue): Where they run.
        say (Callable): Prints a line of progress.
        after (Callable): Called after every job, to bring the report up to date.
        look (Callable): Called in every round with the jobs that are submitted, by name.

    Attributes:
        failures (dict[str, str]): What is to be said of each job that failed, by name.
        left_out (dict[str, str]): For each job that was not run, the failed one that it needs.
        signal (int, optional): Which one interrupted it.
    """

    def __init__(
        self, plan: Plan, queue: Queue, say: Say, after: Callable[[], object], look: Look = lambda running: None
    ) -> None:
        self.plan, self.queue, self.say, self.after, self.look = plan, queue, say, after, look
        self.waiting = {job.name for job in plan.missing()}
        self.submitted: dict[str, Submitted] = {}
        self.failures: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self.signal: int | None = None
        self._starts: dict[str, int] = {}
        self._begin: dict[str, float] = {}
        self._told: set[str] = set()

    def interrupt(self, number: int, frame: object = None) -> None:
        """Let :meth:`run` return soon; a handler of signals."""
        self.signal = number

    def run(self) -> str | None:
        """Run all missing jobs; one that fails keeps only those from running that need it.

        Returns:
            str | None: If it was interrupted, what became of the jobs and how to go on.
        """
        jobs = [self.plan.jobs[name] for name in self.plan.jobs if name in self.waiting]
        for name, job in self.queue.find(jobs).items():
            self._watch(name, job)
        while (self.waiting or self.submitted) and self.signal is None:
            ended = [name for name, job in self.submitted.items() if job.done()]
            for name in ended:
                if name in self.submitted:  # not called back for one that ended before it
                    self._settle(name)
            for name in [name for name in self.plan.jobs if name in self.waiting]:
                self._try(name)
            self.look(self.submitted)
            if not ended:
                time.sleep(PAUSE)
        return self.queue.stop(list(self.submitted.values())) if self.signal is not None else None

    def sentences(self) -> list[str]:
        """Return one sentence on each job that failed, in the order of the plan."""
        counts = {name: list(self.left_out.values()).count(name) for name in self.failures}
        needed = {name: f'; {count} that need it were left out' if count else '' for name, count in counts.items()}
        return [self.failures[name] + needed[name] for name in self.plan.jobs if name in self.failures]

    def _try(self, name: str) -> None:
        """Submit a job if it can be by now, or leave it out if it never will."""
        job = self.plan.jobs[name]
        failed = next((need for need in job.needs if need in self.failures or need in self.left_out), None)
        if failed is not None:
            self.waiting.remove(name)
            self.left_out[name] = self.left_out.get(failed, failed)
            return
        needs = [need for need in job.needs if need in self.waiting or need in self.submitted]
        if not self._has_turn(needs):
            return
        if job.is_done():
            self._leave(name, 'was done by another process')
        elif self.queue.is_free(job):
            self._submit(name, [self.submitted[need] for need in needs])
        elif name not in self._told:
            self._told.add(name)
            self.say(f'{self._title(name)} is being run by another process: waiting for its end')

    def _has_turn(self, needs: Sequence[str]) -> bool:
        """Tell whether there is room for a job with these needs that are not done."""
        if self.queue.capacity is not None and len(self.submitted) >= self.queue.capacity:
            return False
        return not needs or (self.queue.holds_back and all(need in self.submitted for need in needs))

    def _submit(self, name: str, after: Sequence[Submitted]) -> None:
        self._starts[name] = self._starts.get(name, 0) + 1
        try:
            self._watch(name, self.queue.submit(self.plan.jobs[name], after))
        except ValueError as error:
            self.waiting.remove(name)
            self.failures[name] = str(error)

    def _watch(self, name: str, job: Submitted) -> None:
        self.waiting.remove(name)
        self.submitted[name], self._begin[name] = job, time.time()
        self.say(f'{self._title(name)} {self.queue.started(job)}')

    def _leave(self, name: str, how: str) -> None:
        """Go on without a job that is done."""
        self.waiting.discard(name)
        self.say(f'{self._title(name)} {how}')
        self.after()

    def _settle(self, name: str) -> None:
        """Find out how a job ended."""
        job = self.submitted.pop(name)
        if self.plan.jobs[name].is_done():
            self._leave(name, f'is done after {time.time() - self._begin[name]:.0f} s')
            return
        self._call_back(name)
        log = job.paths.stdout
        if job.paths.result_pickle.exists():  # submitit keeps the error there of what was not killed
            how = f'failed: {last_words(log)}'
        elif self.queue.was_canceled(job):
            how = 'was canceled'
        elif self._starts.get(name, 1) >= STARTS:
            how = f'was killed {STARTS} times: {last_words(log)}'
        else:
            self.waiting.add(name)
            self.say(f'{self._title(name)} was killed: it starts again and goes on')
            return
        self.failures[name] = f"'{name}' {how} (all that it said: {log})"
        self.say(self.failures[name])

    def _call_back(self, name: str) -> None:
        """Take out of the queue what waits there for a job that did not end well."""
        for other in [other for other in self.submitted if name in self.plan.jobs[other].needs]:
            if other in self.submitted:  # not called back already for one between the two
                self.submitted.pop(other).cancel(check=False)
                self.waiting.add(other)
                self._call_back(other)

    def _title(self, name: str) -> str:
        return f'{list(self.plan.jobs).index(name) + 1} of {len(self.plan.jobs)}: {name}'


def last_words(log: Path) -> str:
    """Return the last line of a log's last attempt that says something, preferably that of an error."""
    if not log.is_file():
        return 'no output'
    attempt = ('\n' + log.read_text(errors='replace')).rsplit('\n$ ', 1)[-1]
    # Slurm's last line repeats what the state says
    lines = [line.strip() for line in attempt.splitlines() if line.strip() and not line.startswith('srun: ')]
    errors = [line for line in lines if line.startswith('error: ')]
    return (errors or lines or ['no output'])[-1]
