"""Every code block of the README and of the documents is run, or checked where running it takes hours or a GPU."""

import pytest
from check import check_command
from exceptions import CHECKED
from pages import ROOT, blocks, pages
from shell import commands
from test_tutorials import RUN
from walk import forked, walk

HERE = ('benchmarks', 'configs', 'docs', 'requirements', 'tests', 'tools')


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Go to a folder that looks like the repository's, and may be written to."""
    for name in HERE:
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize('page', [page for page in pages() if page not in RUN])
def test_page_is_checked(page, tmp_path, repository):
    log = tmp_path / 'log'
    code = forked(lambda: walk(blocks(page), check_command), log)
    assert code == 0, log.read_text()[-4000:]
    found = sum(len(commands(block.text)) for block in blocks(page) if block.language == 'bash')
    allowed = CHECKED.get(page, ('', 0))[1]
    assert found <= allowed, (
        f'{page} has {found} commands that no test runs, {allowed} are allowed: have tests/docs/test_tutorials.py run '
        'the page, or give the reason in tests/docs/exceptions.py'
    )


def test_exceptions_are_pages():
    assert set(CHECKED) <= set(pages()) - set(RUN)
