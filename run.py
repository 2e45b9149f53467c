#!/usr/bin/env python3
"""Set up everything in ``.venv`` beside this file, once, then run a job: ``digits``, ``scenes``, ``test`` or ``docs``.

    python run.py digits

Needs Python 3.10 to 3.13 with pip and nothing else. Further arguments go to the job.
"""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / '.venv'
REQUIREMENTS = ROOT / 'requirements' / 'tested.txt'
JOBS = {
    'digits': ['tools/digits.py'],
    'scenes': ['tools/digit_scenes.py'],
    'test': ['-m', 'pytest', '-n', '2', '--dist', 'loadfile'],
    'docs': ['docs/site/build.py'],
}


def set_up() -> Path:
    """Make the virtual environment and install the tested set of packages, unless that was done already.

    Returns:
        Path: The environment's Python.
    """
    python = VENV / ('Scripts/python.exe' if sys.platform == 'win32' else 'bin/python')
    marker = VENV / 'installed'
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if marker.is_file() and marker.read_text() == wanted:
        return python
    print(
        f'Installing the packages of {REQUIREMENTS.relative_to(ROOT)} into {VENV.name}/ (a few minutes, 6 GB) ...',
        flush=True,
    )
    venv.create(VENV, with_pip=True, clear=VENV.exists())
    pip = [str(python), '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    subprocess.run([*pip, '--requirement', str(REQUIREMENTS)], check=True)
    subprocess.run([*pip, '--no-deps', '--no-build-isolation', '--editable', str(ROOT)], check=True)
    marker.write_text(wanted)
    return python


def main() -> int:
    """Run the job that the first argument names."""
    if len(sys.argv) < 2 or sys.argv[1] not in JOBS:
        print(f'usage: python run.py {{{",".join(JOBS)}}} [arguments of the job]', file=sys.stderr)
        return 2
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        print(f'error: Python 3.10 to 3.13 is needed, this is {sys.version.split()[0]}', file=sys.stderr)
        return 1
    try:
        python = set_up()
    except subprocess.CalledProcessError as error:
        print(
            f'error: the installation failed (pip ended with {error.returncode}, see above): check the network and '
            'the free space on this disk, then run the same command again',
            file=sys.stderr,
        )
        return 1
    return subprocess.run([str(python), *JOBS[sys.argv[1]], *sys.argv[2:]], cwd=ROOT).returncode


if __name__ == '__main__':
    sys.exit(main())
