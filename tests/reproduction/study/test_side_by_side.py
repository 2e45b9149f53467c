"""Jobs a few at a time: each after those that it needs, and what a failure stops."""

import threading
from pathlib import Path

import pytest
from mmengine.config import Config

import topkd.reproduction.study.side_by_side as module
from topkd.reproduction.jobs import Job
from topkd.reproduction.plan import Plan


class Pretended(Job):
    """A job that is done when the test says so."""

    def is_done(self):
        return self.name == 'done before'


def plan_of(**needs):
    return Plan({name: Pretended(name, Config(), Path(name), tuple(needed)) for name, needed in needs.items()})


def test_two_run_at_a_time_and_each_after_its_needs(monkeypatch):
    met, lock, order, running = threading.Barrier(2, timeout=30), threading.Lock(), [], []

    def run_job(job, tools, variables):
        with lock:
            running.append(len(order))
        if job.name in ('a', 'b'):
            met.wait()  # only two that run at the same time get past this
        with lock:
            order.append(job.name)

    monkeypatch.setattr(module, 'run_job', run_job)
    said = []
    plan = plan_of(**{'done before': [], 'a': [], 'b': ['done before'], 'c': ['a', 'b'], 'd': ['c']})
    module.run_side_by_side(plan, Path(), {}, said.append, 2)
    assert set(order[:2]) == {'a', 'b'} and order[2:] == ['c', 'd'] and len(running) == 4
    assert 'done before ...' not in said and said[-1] == 'd is done'


def test_a_failure_stops_what_needs_it_and_is_told(monkeypatch):
    ran = []

    def run_job(job, tools, variables):
        ran.append(job.name)
        if job.name == 'bad':
            raise ValueError("'bad' ended with code 1")

    monkeypatch.setattr(module, 'run_job', run_job)
    with pytest.raises(ValueError, match="'bad' ended with code 1"):
        module.run_side_by_side(plan_of(bad=[], after=['bad'], other=[]), Path(), {}, print, 1)
    assert ran == ['bad', 'other']
