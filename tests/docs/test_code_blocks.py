"""Pages that begin in the repository's folder: their commands are run on small data, or checked where that cannot be."""

import shutil
from pathlib import Path

import pytest
from check import check_command
from exceptions import CHECKED, reason
from ground import make_ground
from pages import ROOT, blocks, pages
from shell import commands
from shorter import shortened, under_last_epoch
from test_tutorials import RUN
from walk import forked, run_command, walk

HERE = ('benchmarks', 'configs', 'docs', 'requirements', 'tests', 'tools')
EPOCHS = 240  # of the recipe for CIFAR-100


@pytest.fixture(scope='module')
def ground(tmp_path_factory):
    """Write the data and weights that the pages take for granted, once."""
    folder = tmp_path_factory.mktemp('ground')
    make_ground(folder)
    return folder


@pytest.fixture
def repository(ground, tmp_path, monkeypatch):
    """Go to a folder that looks like the repository's with data and weights, and may be written to."""
    folder = tmp_path / 'repository'
    shutil.copytree(ground, folder, ignore=shutil.ignore_patterns('torch'))
    for name in HERE:
        (folder / name).symlink_to(ROOT / name)
    monkeypatch.chdir(folder)
    monkeypatch.setenv('TORCH_HOME', str(ground / 'torch'))


@pytest.mark.parametrize('page', [page for page in pages() if page not in RUN])
def test_page_runs_on_small_data(page, tmp_path, repository):
    def do(words: list[str]) -> None:
        if reason(page, words):
            check_command(words)
        else:
            run_command(shortened(words))
            under_last_epoch(Path('work_dirs'), EPOCHS)

    log = tmp_path / 'log'
    code = forked(lambda: walk(blocks(page), do), log)
    assert code == 0, log.read_text()[-6000:]


def test_every_exception_is_a_command():
    for page, parts in CHECKED.items():
        found = [
            ' '.join(words) for block in blocks(page) if block.language == 'bash' for words in commands(block.text)
        ]
        assert page not in RUN and all(any(part in command for command in found) for part in parts), page
