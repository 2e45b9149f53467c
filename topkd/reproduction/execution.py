"""Run a plan's jobs one after the other, or hand them to a launcher."""
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

from topkd.reproduction.jobs import Job, Plan

Say = Callable[[str], None]


def command(job: Job, tools: Path) -> List[str]:
    """Return the words of a job's call."""
    return [sys.executable, str(tools / job.tool), str(job.config_path), *job.arguments]


def environment(device: Optional[str]) -> Dict[str, str]:
    """Return the environment variables of jobs on a device.

    Args:
        device (str, optional): 'cpu', 'cuda', or 'cuda:N' for the N-th GPU; None takes a GPU where there is one.

    Raises:
        ValueError: For another word.
    """
    variables = dict(os.environ)
    if device == 'cpu':
        variables['CUDA_VISIBLE_DEVICES'] = ''
    elif device is not None and device.startswith('cuda:') and device[5:].isdigit():
        variables['CUDA_VISIBLE_DEVICES'] = device[5:]
    elif device not in (None, 'cuda'):
        raise ValueError(f"--device must be cpu, cuda or cuda:N, got '{device}'")
    return variables


def prepare(job: Job) -> None:
    """Write a job's config."""
    job.folder.mkdir(parents=True, exist_ok=True)
    partial = job.config_path.with_suffix('.partial.py')
    job.config.dump(str(partial))
    os.replace(partial, job.config_path)


def run_job(job: Job, tools: Path, variables: Dict[str, str]) -> None:
    """Run a job to its end; its output goes to ``log.txt`` of its folder.

    Raises:
        ValueError: Where it fails, with its last words, or where another process is at it.
    """
    _refuse_twice(job)
    prepare(job)
    words = command(job, tools)
    with open(job.folder / 'log.txt', 'a') as log:
        log.write(f'$ {shlex.join(words)}\n')
        log.flush()
        process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, env=variables)
        marker = job.folder / 'running.pid'
        marker.write_text(str(process.pid))
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            marker.unlink(missing_ok=True)
    if code != 0 or not job.is_done():
        path = job.folder / 'log.txt'
        raise ValueError(f"'{job.name}' ended with code {code}: {last_words(path)} (all of it: {path}); what is finished stays, the "
                         'same command goes on from there')


def run_plan(plan: Plan, tools: Path, variables: Dict[str, str], say: Say, after: Callable[[], None]) -> None:
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


def hand_over(plan: Plan, tools: Path, launcher: str, variables: Dict[str, str], say: Say) -> None:
    """Give every job that could run now to a launcher, once; called again later, it goes on with those that can run then.

    Args:
        plan (Plan): The jobs.
        tools (Path): Folder of this package's tools.
        launcher (str): A shell command in which ``{command}`` stands for the job's call and ``{name}`` for a word that names
            it, for example ``sbatch --gres=gpu:1 --job-name {name} --wrap "{command}"``.
        variables (dict): Environment of the launcher.
        say (Callable): Prints a line of progress.

    Raises:
        ValueError: Where the launcher lacks ``{command}`` or fails.
    """
    if '{command}' not in launcher:
        raise ValueError("--launcher must hold {command}, for example 'sbatch --gres=gpu:1 --wrap \"{command}\"', got "
                         f"'{launcher}'")
    for job in plan.missing():
        marker = job.folder / 'handed_over.txt'
        waits = [name for name in job.needs if not plan.jobs[name].is_done()]
        if waits:
            say(f"{job.name} waits for {', '.join(waits)}: give this command again when that is done")
        elif marker.is_file():
            say(f"{job.name} was handed over before and is not finished: delete '{marker}' to hand it over again")
        else:
            prepare(job)
            call = launcher.replace('{command}', shlex.join(command(job, tools)))
            call = call.replace('{name}', ''.join(letter if letter.isalnum() else '-' for letter in job.name))
            code = subprocess.run(call, shell=True, env=variables).returncode
            if code != 0:
                raise ValueError(f"the launcher ended with code {code} on '{job.name}': {call}")
            marker.write_text(call + '\n')
            say(f'{job.name} handed over')


def last_words(log: Path) -> str:
    """Return the last line of a log that says something."""
    lines = [line.strip() for line in log.read_text(errors='replace').splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith('error: ')]
    return (errors or lines or ['no output'])[-1]


def _refuse_twice(job: Job) -> None:
    """Refuse to run a job beside itself, as after a kill of this process alone."""
    marker = job.folder / 'running.pid'
    if not marker.is_file():
        return
    try:
        os.kill(int(marker.read_text()), 0)
    except (ProcessLookupError, ValueError):
        return
    except PermissionError:
        pass
    raise ValueError(f"'{job.name}' is still running as process {marker.read_text()}: wait for its end, or stop it; if that number "
                     f"belongs to another program by now, delete '{marker}'")
