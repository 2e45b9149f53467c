"""A stand-in for Slurm's commands, for machines without Slurm: one process a job, its states in files.

It keeps to what the tests rely on: sbatch reads the options of a script (dependency, kill-on-invalid-dep, output), srun
redirects and runs, sacct tells states, unless the accounts lag behind, scancel cancels or sends a signal to the steps,
scontrol requeues and shows. Every job has room at once; limits of time are not kept.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(os.environ['STAND_IN'])
ENDED = ('COMPLETED', 'FAILED', 'CANCELLED')


def state(number: str) -> str:
    return (ROOT / number / 'state').read_text()


def set_state(number: str, value: str) -> None:
    partial = ROOT / number / 'partial'
    partial.write_text(value)
    partial.replace(ROOT / number / 'state')


def sbatch(script: str) -> None:
    text = Path(script).read_text()
    options = {key: value.strip("'") for key, value in re.findall(r'^#SBATCH --([\w-]+)=?(.*)$', text, re.MULTILINE)}
    if options.get('partition') == 'nowhere':
        sys.exit('sbatch: error: Batch job submission failed: Invalid partition name specified')
    number = str(100 + len(list(ROOT.iterdir())))
    (ROOT / number).mkdir()
    (ROOT / number / 'script').write_text(text)
    (ROOT / number / 'options').write_text(json.dumps(options))
    set_state(number, 'PENDING')
    quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.Popen([sys.executable, __file__, 'run', number], start_new_session=True, **quiet)
    print(f'Submitted batch job {number}')


def run(number: str) -> None:
    """Keep one job, from its dependencies to its end."""
    folder = ROOT / number
    options = json.loads((folder / 'options').read_text())
    needs = options.get('dependency', '').split(':')[1:]
    while not all(state(need) == 'COMPLETED' for need in needs):
        invalid = options.get('kill-on-invalid-dep') == 'yes' and any(state(need) in ENDED[1:] for need in needs)
        if (folder / 'cancel').exists() or invalid:
            return set_state(number, 'CANCELLED')
        time.sleep(0.02)
    while True:
        set_state(number, 'RUNNING')
        code = batch(number, options['output'].replace('%j', number))
        if (folder / 'cancel').exists():
            return set_state(number, 'CANCELLED by 0')
        if not (folder / 'requeue').exists():
            return set_state(number, 'COMPLETED' if code == 0 else 'FAILED')
        (folder / 'requeue').unlink()
        set_state(number, 'PENDING')


def batch(number: str, output: str) -> int:
    """Run a job's script once, and end it if that is asked for."""
    folder = ROOT / number
    names = dict(SLURM_JOB_ID=number, SLURM_NTASKS='1', SLURM_PROCID='0', SLURM_LOCALID='0', SLURM_NODEID='0')
    with open(output, 'a') as log:
        words = ['bash', str(folder / 'script')]
        process = subprocess.Popen(words, stdout=log, stderr=log, env={**os.environ, **names}, start_new_session=True)
        while process.poll() is None:
            if (folder / 'cancel').exists() or (folder / 'requeue').exists():
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.02)
    return process.returncode


def srun(*words: str) -> None:
    number, rest = os.environ['SLURM_JOB_ID'], list(words)
    rest.remove('--unbuffered')
    at = rest.index('--output')
    output = rest[at + 1].replace('%j', number).replace('%t', '0')
    (ROOT / number / 'step').write_text(str(os.getpid()))
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    command = rest[:at] + rest[at + 2 :]
    os.execvp(command[0], command)


def sacct(*words: str) -> None:
    if (ROOT.parent / 'no accounts').exists():
        sys.exit('Slurm accounting storage is disabled')
    if '--noheader' not in words:
        print('JobID|State|NodeList')
    if (ROOT.parent / 'accounts lag').exists():
        return
    for flag, number in zip(words, words[1:]):
        if flag == '-j' and (ROOT / number).is_dir():
            print(f'{number}|{state(number)}|here')


def scancel(number: str, *words: str) -> None:
    if words:
        os.kill(int((ROOT / number / 'step').read_text()), getattr(signal, f'SIG{words[-1]}'))
    else:
        (ROOT / number / 'cancel').write_text('')


def scontrol(action: str, *words: str) -> None:
    number = words[-1]
    if action == 'show':
        if not (ROOT / number).is_dir():
            sys.exit('slurm_load_jobs error: Invalid job id specified')
        print(f'JobId={number} JobName=job\n   JobState={state(number).split()[0]} Reason=None')
        return
    assert action == 'requeue'
    (ROOT / number / 'requeue').write_text('')


if __name__ == '__main__':
    globals()[sys.argv[1]](*sys.argv[2:])
