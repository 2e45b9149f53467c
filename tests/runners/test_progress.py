"""Progress on a terminal and in a log file."""

import sys

from topkd.runners.progress import progress


def test_a_log_file_gets_whole_lines(capsys):
    assert list(progress('clouds', [3, 5, 8], seconds=0)) == [3, 5, 8]
    out = capsys.readouterr().out
    assert '\r' not in out and '\x1b' not in out
    assert [line.split(', ')[0] for line in out.splitlines()] == [f'clouds: {number} of 3' for number in (1, 2, 3)]
    assert out.splitlines()[-1].endswith(' 0 s left')


def test_lines_are_seconds_apart(capsys):
    assert list(progress('clouds', list(range(50)), seconds=3600)) == list(range(50))
    assert [line.split(', ')[0] for line in capsys.readouterr().out.splitlines()] == ['clouds: 50 of 50']


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, 'isatty', lambda: True, raising=False)
    assert list(progress('clouds', [1, 2])) == [1, 2]
    out = capsys.readouterr().out
    assert out.startswith('clouds:\n') and '2/2' in out and 'ETA:' in out


def test_nothing_to_do_says_nothing(capsys):
    assert list(progress('clouds', [])) == []
    assert capsys.readouterr().out == ''
