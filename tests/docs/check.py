"""Check a command without running it: the tool exists, its options parse, its configs can be read and have the entries."""

import argparse
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from pages import ROOT

from topkd.command.main import main as topkd
from topkd.utils.config import merge_cfg_options, read_config

# programs that are not ours: only their names are looked at
SYSTEM = frozenset(
    'apt-get cat chmod chown cp git grep mariadb mariadbd-safe mkdir pack/bin/pip pack/bin/python python3.12 runuser '
    'sacctmgr sinfo sleep slurmctld slurmd slurmdbd source'.split()
)
CONFIG = re.compile(r'(?:\w[\w-]*=)?((?:\w+::)?[\w./-]+\.py)(?::\S+)?')
EXTRAS = re.compile(r'(?:\.|topkd)\[([\w,]+)\]')


class Parsed(BaseException):
    """The command line of a tool was read; the tool goes no further."""


def parse(run: Callable[[], Any], argv: list[str]) -> argparse.Namespace:
    """Start a tool, and stop it as soon as its command line is read.

    Args:
        run (Callable): Starts it.
        argv (list[str]): Its command line.

    Returns:
        argparse.Namespace: What it read.
    """
    whole, sys.argv = argparse.ArgumentParser.parse_args, argv

    def stop(self: argparse.ArgumentParser, *given: Any, **more: Any) -> NoReturn:
        raise Parsed(whole(self, *given, **more))

    argparse.ArgumentParser.parse_args = stop  # type: ignore[method-assign]
    try:
        run()
    except Parsed as parsed:
        return parsed.args[0]
    finally:
        argparse.ArgumentParser.parse_args = whole  # type: ignore[method-assign]
    raise AssertionError(f'{argv} read no command line')


def check_command(words: list[str]) -> None:
    """Check a command from the current folder.

    Raises:
        AssertionError: If the program is unknown, or something that it names is not there.
        SystemExit: If its options do not parse; the tool has printed why.
    """
    name, rest = words[0], words[1:]
    if name == 'topkd':
        check_parsed(parse(topkd, words), words)
    elif name == 'python':
        check_python(rest)
    elif name == 'pip':
        check_pip(rest)
    elif name.startswith('tools/'):
        assert (ROOT / name).is_file(), f'there is no {name}'
    else:
        assert name in SYSTEM, f'nobody knows the program {name!r}'


def check_python(words: list[str]) -> None:
    """Check ``python WORDS``."""
    if words[0] == '-c':
        compile(words[1], '-c', 'exec')
    elif words[:2] == ['-m', 'pytest']:
        missing = [word for word in words[2:] if not word.startswith('-') and not (ROOT / word).exists()]
        assert not missing, f'there is no {missing}'
    elif words[0] == '-m':
        sys.path.insert(0, str(ROOT))
        check_parsed(parse(lambda: runpy.run_module(words[1], run_name='__main__'), words[1:]), words)
    elif words[0] == 'run.py':
        assert words[1] in runpy.run_path(str(ROOT / 'run.py'))['JOBS'], f'run.py has no job {words[1]!r}'
    else:
        path = ROOT / words[0]
        assert path.is_file(), f'there is no {words[0]}'
        sys.path.insert(0, str(path.parent))
        check_parsed(parse(lambda: runpy.run_path(str(path), run_name='__main__'), words), words)


def check_parsed(args: argparse.Namespace, words: list[str]) -> None:
    """Read the configs that a command names, with the entries that it overrides."""
    for word in words[1:]:
        match = CONFIG.fullmatch(word)
        if match and not word.startswith(('tools/', 'benchmarks/')) and match[1] != getattr(args, 'out', None):
            assert '::' in match[1] or Path(match[1]).is_file(), f'there is no config {match[1]}'
            read_config(match[1])
    config = getattr(args, 'config', None)
    if isinstance(config, str):
        merge_cfg_options(read_config(config), getattr(args, 'cfg_options', None))


def check_pip(words: list[str]) -> None:
    """Check that a file of requirements and the extras that are installed exist."""
    declared = (ROOT / 'pyproject.toml').read_text(encoding='utf-8').split('[project.optional-dependencies]')[1]
    for option, word in zip(words, words[1:]):
        if option in ('-r', '--requirement') and '/' in word:
            assert (ROOT / word).is_file(), f'there is no {word}'
    for word in words:
        for extra in (match := EXTRAS.fullmatch(word)) and match[1].split(',') or []:
            assert f'\n{extra} = [' in declared, f'there is no extra {extra!r}'
