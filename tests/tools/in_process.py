"""Run a tool in this process, as a user would on the command line."""

import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def caller(monkeypatch, capsys, folder):
    """Return a function that runs a tool from ``folder`` and returns (exit code, stdout, stderr)."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv('TOPKD_DEBUG', '0')

    def run(tool: str, *arguments) -> tuple:
        monkeypatch.setattr(sys, 'argv', [f'tools/{tool}', *map(str, arguments)])
        code = 0
        try:
            runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')
        except SystemExit as end:
            code = end.code or 0
        return (code, *capsys.readouterr())

    return run
