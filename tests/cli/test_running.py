"""How a tool ends: by a signal, by an error while another is told, without a reader."""

import os
import signal
import subprocess
import sys
import time

import pytest
from said import without_warnings

from topkd.cli import tool


@pytest.mark.parametrize('number, code, name', [(signal.SIGTERM, 143, 'SIGTERM'), (signal.SIGINT, 130, 'Ctrl-C')])
def test_signals_end_a_tool_with_one_line(capsys, number, code, name):
    cleared = []

    @tool(go_on='--resume goes on')
    def main() -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(60)
        except:  # noqa: E722  as libraries do
            cleared.append(1)
            raise SyntaxError('the config cannot be formatted')

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == code and cleared and signal.getsignal(signal.SIGTERM) is before
    assert capsys.readouterr().err.strip() == f'stopped by {name}; what is finished stays: --resume goes on'


def test_a_signal_while_an_error_is_told(monkeypatch, capsys):
    @tool
    def main() -> None:
        raise ValueError('a number must be positive, got 0')

    monkeypatch.setattr('topkd.cli.running.sentence', lambda error: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 143
    assert capsys.readouterr().err.strip() == 'stopped by SIGTERM; what is finished stays: give the same command again'


def test_a_tool_whose_output_nobody_reads_says_so():
    script = "from topkd.cli import tool\n@tool\ndef main(): print('found')\nmain()"
    reader, writer = os.pipe()
    os.close(reader)
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONUNBUFFERED'}
    ended = subprocess.run(
        [sys.executable, '-c', script], stdout=writer, stderr=subprocess.PIPE, text=True, env=environment
    )
    os.close(writer)
    said = without_warnings(ended.stderr)
    assert ended.returncode == 1 and said.startswith('error: the program that reads what is printed has ended:')
    assert len(said.splitlines()) == 1
