"""Follow a page as a reader would: write its files, run its Python and its commands, in their order."""

import doctest
import os
import runpy
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from check import check_command
from page_configs import check_config
from pages import ROOT, Block
from shell import commands

OWN = ('topkd', 'python')
# what is not done to the machine that the tests run on; such commands are only checked
INSTALLS = ('pip', 'apt-get', 'source')


class WalkError(Exception):
    """A block that does not do what its page promises."""


def forked(function: Callable[[], None], log: Path | None = None) -> int:
    """Call a function in a process of its own that starts at once, as all is imported here already.

    Args:
        function (Callable): Ends with an exit code, if any, by SystemExit.
        log (Path, optional): File that gets all that it prints.

    Returns:
        int: Exit code, or minus the signal that ended it.
    """
    sys.stdout.flush(), sys.stderr.flush()
    number = os.fork()
    if number:
        return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    code = 1
    try:
        if log is not None:
            to = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(to, 1), os.dup2(to, 2)
            sys.stdout = sys.stderr = open(1, 'w', buffering=1, closefd=False)  # pytest's catch what is printed
        function()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)


def walk(blocks: list[Block], do: Callable[[list[str]], None]) -> None:
    """Follow a page in the current folder: write its files, run its Python, check its configs.

    Args:
        blocks (list[Block]): Of the page.
        do (Callable): Called with the words of every command; raises if it fails.

    Raises:
        WalkError: If a block fails.
    """
    names: dict[str, object] = dict(__name__='__main__')
    for block in blocks:
        try:
            if block.file:
                write(block)
            elif block.is_config:
                check_config(block)
            elif block.language == 'python':
                run_python(block, names)
            elif block.language == 'bash':
                for words in commands(block.text):
                    do(words)
            elif not block.language:
                raise WalkError('a block without a language: write ```python, ```bash or ```text')
        except (Exception, SystemExit) as error:
            raise WalkError(f'{block}: {error!r}') from error


def write(block: Block) -> None:
    """Write the file that a block is the content of."""
    path = Path(block.file or '')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding='utf-8')


def run_python(block: Block, names: dict[str, object]) -> None:
    """Run a block of Python among the names of the page; a session with prompts must answer what it shows."""
    if '>>> ' not in block.text:
        exec(compile(block.text, str(block), 'exec'), names)
        return
    test = doctest.DocTestParser().get_doctest(block.text, names, str(block), block.page, block.line)
    if doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, clear_globs=False).failed:
        raise WalkError(f'{block}: another answer')
    names.update(test.globs)


def run_command(words: list[str]) -> None:
    """Run a command in the current folder: what is topkd's in a forked process, all else as it is.

    Raises:
        WalkError: If it ends with another code than 0.
    """
    print(f'$ {" ".join(words)}', flush=True)
    if words[0] in INSTALLS:
        check_command(words)
        return
    code = forked(lambda: run_own(words)) if words[0] in OWN else subprocess.run(words).returncode
    if code:
        raise WalkError(f'{" ".join(words)!r} ended with {code}')


def run_own(words: list[str]) -> None:
    """Run ``topkd ...`` or ``python FILE ...`` in this process."""
    if words[0] == 'topkd':
        from topkd.command.main import main

        sys.argv = ['topkd', *words[1:]]
        main()
        return
    if words[1] == '-m':
        sys.argv = words[2:]
        sys.path.insert(0, os.getcwd())
        runpy.run_module(words[2], run_name='__main__', alter_sys=True)
        return
    sys.argv = words[1:]
    path = Path(words[1]) if Path(words[1]).is_file() else ROOT / words[1]
    sys.path.insert(0, str(path.parent))
    runpy.run_path(str(path), run_name='__main__')
