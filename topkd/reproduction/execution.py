"""Run a plan's jobs one after the other, or hand them to a launcher."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from topkd.reproduction.jobs import Job
from topkd.reproduction.plan import Plan
from topkd.reproduction.planned import write_planned

Say = Callable[[str], None]
HANDED_OVER = 'handed_over.txt'


def command(job: Job, tools: Path) -> list[str]:
    """Return the words of a job's call."""
    return [sys.executable, str(tools / job.tool), str(job.config_path), *job.arguments]


def environment(device: str | None) -> dict[str, str]:
    """Return the environment variables of jobs on a device.

    Args:
        device (str, optional): 'cpu', 'cuda', or 'cuda:N' for the N-th GPU; None takes a GPU where there is one.

    Raises:
        ValueError: For another word, or a GPU that is not there.
    """
    variables = dict(os.environ)
    if device == 'cpu':
        variables['CUDA_VISIBLE_DEVICES'] = ''
        return variables
    match = re.fullmatch(r'cuda(:(\d+))?', device or 'cuda')
    if match is None:
        raise ValueError(f"--device must be cpu, cuda or cuda:N, got '{device}'")
    if device is not None and torch.cuda.device_count() <= int(match[2] or 0):
        raise ValueError(
            f'--device {device} is not there: this machine has {torch.cuda.device_count()} GPUs, take one of them or '
            'cpu'
        )
    if match[2] is not None:
        # a queue may have given this job some of the machine's GPUs only
        given = [name for name in variables.get('CUDA_VISIBLE_DEVICES', '').split(',') if name]
        variables['CUDA_VISIBLE_DEVICES'] = given[int(match[2])] if given else match[2]
    return variables


def prepare(job: Job) -> None:
    """Write a job's config."""
    job.folder.mkdir(parents=True, exist_ok=True)
    partial = job.config_path.with_suffix('.partial.py')
    job.config.dump(str(partial))
    os.replace(partial, job.config_path)
    write_planned(job.config, job.folder)


def run_job(job: Job, tools: Path, variables: dict[str, str]) -> None:
    """Run a job to its end; its output goes to ``log.txt`` of its folder.

    Raises:
        ValueError: If it fails, with its last words, or where another process is at it.
    """
    _refuse_twice(job)
    code = 0 if job.has_run() else _call(job, tools, variables)
    if code == 0 and job.has_run():
        job.finish()
    if code != 0 or not job.is_done():
        path = job.folder / 'log.txt'
        how = 'without its result' if code == 0 else f'with code {code}: {last_words(path)}'
        raise ValueError(
            f"'{job.name}' ended {how} (all that it said: {path}); what is finished stays, the same command goes on "
            'from there'
        )


def _call(job: Job, tools: Path, variables: dict[str, str]) -> int:
    """Call a job's tool and return its exit code."""
    prepare(job)
    words = command(job, tools)
    with open(job.folder / 'log.txt', 'a') as log:
        log.write(f'$ {shlex.join(words)}\n')
        log.flush()
        process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, env=variables)
        marker = job.folder / 'running.pid'
        marker.write_text(str(process.pid))
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            marker.unlink(missing_ok=True)


def run_plan(plan: Plan, tools: Path, variables: dict[str, str], say: Say, after: Callable[[], None]) -> None:
    """Run what is missing of a plan.

    Args:
        plan (Plan): The jobs, in an order in which each finds what it needs.
        tools (Path): Folder of this package's tools.
        variables (dict): Environment of the jobs.
        say (Callable): Prints a line of progress.
        after (Callable): Called after every job, to bring the report up to date.
    """
    jobs = list(plan.jobs.values())
    for number, job in enumerate(jobs, start=1):
        if job.is_done():
            say(f'{number} of {len(jobs)}: {job.name} is done')
            continue
        say(f'{number} of {len(jobs)}: {job.name} ...')
        begin = time.time()
        run_job(job, tools, variables)
        after()
        say(f'{number} of {len(jobs)}: {job.name} took {time.time() - begin:.0f} s')


def hand_over(plan: Plan, tools: Path, launcher: str, variables: dict[str, str], say: Say) -> None:
    """Give every job that could run now to a launcher, once; called again later, it goes on with those that can run
    then.

    Args:
        plan (Plan): The jobs.
        tools (Path): Folder of this package's tools.
        launcher (str): A shell command in which ``{script}`` stands for a shell script that runs the job, ``{command}``
            for the call itself and ``{name}`` for a word that names it, for example ``sbatch --gres=gpu:1 --job-name
            {name} {script}``.
        variables (dict): Environment of the launcher.
        say (Callable): Prints a line of progress.

    Raises:
        ValueError: If the launcher lacks both, or fails.
    """
    if '{command}' not in launcher and '{script}' not in launcher:
        raise ValueError(
            "--launcher must hold {script} or {command}, for example 'sbatch --gres=gpu:1 {script}', got "
            f"'{launcher}'"
        )
    for job in plan.missing():
        marker = job.folder / HANDED_OVER
        waits = [name for name in job.needs if not plan.jobs[name].is_done()]
        if waits:
            say(f'{job.name} waits for {", ".join(waits)}: give this command again when that is done')
        elif marker.is_file():
            say(f"{job.name} was handed over before and is not finished: delete '{marker}' to hand it over again")
        else:
            prepare(job)
            words = shlex.join(command(job, tools))
            script = job.folder / 'run.sh'
            script.write_text(f'#!/bin/sh\ncd {shlex.quote(os.getcwd())} && exec {words}\n')
            call = launcher.replace('{command}', words).replace('{script}', shlex.quote(str(script)))
            call = call.replace('{name}', ''.join(letter if letter.isalnum() else '-' for letter in job.name))
            code = subprocess.run(call, shell=True, env=variables).returncode
            if code != 0:
                raise ValueError(f"the launcher ended with code {code} on '{job.name}': {call}")
            marker.write_text(call + '\n')
            say(f'{job.name} handed over')


def last_words(log: Path) -> str:
    """Return the last line of a log's last attempt that says something."""
    attempt = ('\n' + log.read_text(errors='replace')).rsplit('\n$ ', 1)[-1]
    lines = [line.strip() for line in attempt.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith('error: ')]
    return (errors or lines or ['no output'])[-1]


def _refuse_twice(job: Job) -> None:
    """Refuse to run a job beside itself: handed over before, or left running by a kill of this process alone."""
    handed = job.folder / HANDED_OVER
    if handed.is_file():
        raise ValueError(
            f"'{job.name}' was handed over to a launcher and is not finished: wait for it, or delete '{handed}' to run "
            'it here'
        )
    marker = job.folder / 'running.pid'
    if not marker.is_file():
        return
    try:
        os.kill(int(marker.read_text()), 0)
    except (ProcessLookupError, ValueError):
        return
    except PermissionError:
        pass
    raise ValueError(
        f"'{job.name}' is still running as process {marker.read_text()}: wait for its end, or stop it; if that number "
        f"belongs to another program by now, delete '{marker}'"
    )
