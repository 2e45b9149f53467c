#!/usr/bin/env python3
"""Set up everything in ``.venv`` beside this file, once, then run a job: ``digits``, ``scenes``, ``test`` or ``docs``.

    python run.py digits
    python run.py test --hosts openmmlab    # OpenMMLab's own packages instead of the forks, in .venv-openmmlab

Needs Python 3.10 to 3.13 (3.12 with OpenMMLab's packages) with pip and nothing else. Further arguments go to the job.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent


class Hosts(NamedTuple):
    """A family of host toolboxes, and the environment that it is set up in."""

    venv: Path
    requirements: Path
    newest: tuple[int, int]  # Python
    # what builds packages that say nothing of how they are built
    first: tuple[str, ...] = ()
    # whether its mmengine finds the configs of a package that is installed as a link to its sources
    editable: bool = True


HOSTS = {
    'onedl': Hosts(ROOT / '.venv', ROOT / 'requirements' / 'tested.txt', (3, 13)),
    'openmmlab': Hosts(
        ROOT / '.venv-openmmlab',
        ROOT / 'requirements' / 'openmmlab.txt',
        (3, 12),
        first=('setuptools>=77,<81', 'wheel'),
        editable=False,
    ),
}
JOBS = {
    'digits': ['tools/digits.py'],
    'scenes': ['tools/digit_scenes.py'],
    'test': ['-m', 'pytest', '-n', '2', '--dist', 'loadfile'],
    'docs': ['docs/site/build.py'],
}


def set_up(hosts: Hosts) -> Path:
    """Make the virtual environment and install the tested set of packages, unless that was done already.

    Args:
        hosts (Hosts): Which ones.

    Returns:
        Path: The environment's Python.
    """
    python = hosts.venv / ('Scripts/python.exe' if sys.platform == 'win32' else 'bin/python')
    marker = hosts.venv / 'installed'
    wanted = hashlib.sha256(hosts.requirements.read_bytes() + sys.version.encode()).hexdigest()
    pip = [str(python), '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
    topkd = [*pip, '--no-deps', '--no-build-isolation']
    done = marker.is_file() and marker.read_text() == wanted
    if not done:
        print(
            f'Installing the packages of {hosts.requirements.relative_to(ROOT)} into {hosts.venv.name}/ '
            '(a few minutes, 6 GB) ...',
            flush=True,
        )
        venv.create(hosts.venv, with_pip=True, clear=hosts.venv.exists())
        if hosts.first:
            subprocess.run([*pip, *hosts.first], check=True)
        isolation = ['--no-build-isolation'] if hosts.first else []
        subprocess.run([*pip, *isolation, '--requirement', str(hosts.requirements)], check=True)
    if hosts.editable and not done:
        subprocess.run([*topkd, '--editable', str(ROOT)], check=True)
    if not hosts.editable:
        # a copy, which must follow the sources; what an earlier build left would be copied with them
        shutil.rmtree(ROOT / 'build' / 'lib', ignore_errors=True)
        subprocess.run([*topkd, '--force-reinstall', str(ROOT)], check=True)
    marker.write_text(wanted)
    return python


def main() -> int:
    """Run the job that the first argument names."""
    parser = argparse.ArgumentParser(
        prog='python run.py',
        usage=f'python run.py {{{",".join(JOBS)}}} [--hosts {{{",".join(HOSTS)}}}] [arguments of the job]',
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument('job', choices=JOBS)
    parser.add_argument('--hosts', choices=HOSTS, default='onedl')
    args, rest = parser.parse_known_args()
    hosts = HOSTS[args.hosts]
    if not (3, 10) <= sys.version_info[:2] <= hosts.newest:
        newest = '.'.join(map(str, hosts.newest))
        print(f'error: Python 3.10 to {newest} is needed, this is {sys.version.split()[0]}', file=sys.stderr)
        return 1
    try:
        python = set_up(hosts)
    except subprocess.CalledProcessError as error:
        print(
            f'error: the installation failed (pip ended with {error.returncode}, see above): check the network and '
            'the free space on this disk, then run the same command again',
            file=sys.stderr,
        )
        return 1
    return subprocess.run([str(python), *JOBS[args.job], *rest], cwd=ROOT).returncode


if __name__ == '__main__':
    sys.exit(main())
