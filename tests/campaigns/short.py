"""Run a campaign from a test, in a process of its own: a fork of the test's would take its threads and state along."""

import json
import os
import sys
from pathlib import Path

from ..warm import context
from .__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def campaign(folder: Path, name: str, *options: str) -> dict[str, int]:
    """Run a campaign to its end and return its counts."""
    words = [name, *options, '--folder', str(folder), '--json', str(folder / 'report.json')]
    process = context().Process(target=_run, args=(words, str(folder / 'log')))
    process.start(), process.join()
    assert process.exitcode == 0, (folder / 'log').read_text()[-5000:]
    return json.loads((folder / 'report.json').read_text())['counts']


def _run(words: list[str], log: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1), os.dup2(file, 2)
    os.chdir(ROOT)
    sys.argv = ['campaigns', *words]
    sys.exit(main())
