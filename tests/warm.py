"""Processes that start at once: each is a fork of one that has imported everything and done nothing else."""

import multiprocessing
import os
import runpy
import sys
from multiprocessing import forkserver
from pathlib import Path
from subprocess import CompletedProcess

# what the tools import, in an order that works
IMPORTS = [
    'topkd',
    'topkd.cli',
    'topkd.launch',
    'topkd.training',
    'topkd.models',
    'topkd.datasets',
    'topkd.hooks',
    'topkd.runners',
    'mmpretrain.models',
    'mmpretrain.datasets',
    'mmpretrain.evaluation',
    'mmpretrain.visualization',
    'mmdet.models',
    'mmdet.datasets',
    'mmdet.evaluation',
    'mmdet.visualization',
    'mmdet.engine',
]
OUTPUTS = ('out.txt', 'err.txt')


def context():
    """Return multiprocessing's context of such processes, and start the process that they are forked from."""
    multiprocessing.set_forkserver_preload(IMPORTS)
    forkserver.ensure_running()
    return multiprocessing.get_context('forkserver')


def start(path: Path, words: list[str], folder: Path):
    """Start ``python path words`` in a folder; its output goes to ``out.txt`` and ``err.txt`` of that folder."""
    process = context().Process(target=_run, args=(str(path), [str(word) for word in words], str(folder)))
    process.start()
    return process


def run(path: Path, words: list[str], folder: Path) -> CompletedProcess:
    """Run ``python path words`` in a folder to its end, as :func:`subprocess.run` would."""
    process = start(path, words, folder)
    process.join()
    out, err = ((folder / name).read_text() for name in OUTPUTS)
    return CompletedProcess([str(path), *words], process.exitcode, out, err)


def _run(path: str, words: list[str], folder: str) -> None:
    os.chdir(folder)
    for number, name in enumerate(OUTPUTS, 1):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = [path, *words]
    sys.path.insert(0, os.path.dirname(path))
    runpy.run_path(path, run_name='__main__')
