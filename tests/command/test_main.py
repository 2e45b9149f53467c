"""The console command: tools by name, its own words, and what it says of others."""

import sys

import pytest

from topkd.command.main import TOOLS, main, usage, words


@pytest.fixture
def topkd(monkeypatch, capsys, tmp_path):
    """Run the command from an empty folder and return (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple:
        monkeypatch.setattr(sys, 'argv', ['topkd', *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        return (code, *capsys.readouterr())

    return run


def test_every_tool_has_a_name():
    files = {path.relative_to(TOOLS) for path in [*TOOLS.glob('*.py'), *TOOLS.glob('*/*.py')]}
    assert {path.relative_to(TOOLS) for path in words().values()} == files
    assert {('train',), ('gen-pi',), ('analysis', 'bottleneck')} <= set(words())
    assert all(name[-1] in usage() for name in words())


def test_tool_sees_its_own_arguments(topkd):
    code, out, _ = topkd('train-ripsnet', '--help')
    assert code == 0 and 'usage: train_ripsnet.py' in out
    code, out, _ = topkd('analysis', 'diagram', '--help')
    assert code == 0 and 'usage: diagram.py' in out


def test_error_of_a_tool_is_its_sentence(topkd):
    code, _, err = topkd('train', 'missing.py')
    assert code == 1 and "config 'missing.py' does not exist" in err


@pytest.mark.parametrize('arguments', [(), ('--help',), ('help',)])
def test_help(topkd, arguments):
    code, out, _ = topkd(*arguments)
    assert code == 0 and out.startswith('usage: topkd COMMAND')


def test_unknown_command_lists_the_known_ones(topkd):
    code, _, err = topkd('trian', 'config.py')
    assert code == 2 and "there is no command 'topkd trian config.py'" in err and 'train-ripsnet' in err
