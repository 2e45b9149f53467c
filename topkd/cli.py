"""What the tools share: arguments as users of MMEngine know them, configs, and errors in one sentence."""

import argparse
import atexit
import logging
import os
import os.path as osp
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from typing import Any, NoReturn

from mmengine.config import Config, DictAction

from topkd.utils.checkpoint import use_safe_loader
from topkd.utils.config import merge_cfg_options, read_config
from topkd.utils.interruption import (
    Terminated,
    ignore_signals,
    interruption,
    save_without_interruption,
    terminated_by_exception,
)
from topkd.utils.pretrained import use_checked_initialization
from topkd.utils.sentences import sentence

MOST_RUNS = 1000  # every one is listed


class Parser(argparse.ArgumentParser):
    """argparse's, which also says where to look if it does not know a word."""

    def error(self, message: str) -> NoReturn:
        """End the tool with usage, the error and exit code 2."""
        if message.startswith('unrecognized arguments'):
            message += ': correct or leave them out, --help lists what there is'
        elif message.endswith(('argument', 'arguments')):
            message += ', got another number of them: --help says which'
        super().error(message)


def parser(description: str, distributed: bool = True) -> argparse.ArgumentParser:
    """Return a parser with CONFIG, --work-dir, --cfg-options and, for tools of several processes, --launcher."""
    result = Parser(description=description)
    result.add_argument('config', help='config file, or package::file of an installed package')
    result.add_argument(
        '--work-dir', type=path, help='folder for logs and checkpoints; default: work_dirs/<name of the config>'
    )
    result.add_argument(
        '--cfg-options',
        nargs='+',
        action=Options,
        default=None,
        help='entries to override, for example data_root=data/cifar100 train_cfg.max_epochs=10',
    )
    result.set_defaults(launcher='none', local_rank=0)
    if distributed:
        result.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], help='job launcher')
        result.add_argument('--local_rank', '--local-rank', type=int, help=argparse.SUPPRESS)
    return result


def path(word: str) -> str:
    """Read the name of a file or folder from the command line, which need not exist."""
    if not word.strip():
        raise argparse.ArgumentTypeError("expected the name of a file or folder, got ''")
    return word


def config_path(word: str) -> Path:
    """Read the name of a config to write from the command line."""
    if Path(word).suffix != '.py':
        raise argparse.ArgumentTypeError(f"expected the name of a .py file, as configs are read from, got '{word}'")
    return Path(word)


def share(word: str) -> float:
    """Read a share, above 0 and below 1, from the command line."""
    try:
        number = float(word)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0 and below 1, got '{word}'")
    return number


def keep_inputs(out: str | Path, *inputs: str | None) -> None:
    """Refuse to write over a file that the same command reads.

    Args:
        out (str | Path): File to write.
        inputs (str | None): Files to read; one that is None or not there is none.

    Raises:
        ValueError: If it is one of them.
    """
    for one in inputs:
        if one is not None and os.path.isfile(out) and os.path.isfile(one) and os.path.samefile(out, one):
            raise ValueError(f"'{out}' is read by this command, which would write over it: name another file to write")


def count(word: str) -> int:
    """Read a number of things, 1 or more, from the command line."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got '{word}'")
    return int(word)


def seed(word: str) -> int:
    """Read a seed of random numbers, as NumPy takes them, from the command line."""
    if not word.isdecimal() or int(word) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to {2**32 - 1}, got '{word}'")
    return int(word)


def repetitions(word: str) -> int:
    """Read a number of runs of one training, from 1 to 1000, from the command line."""
    number = count(word)
    if number > MOST_RUNS:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {MOST_RUNS}, got '{word}'")
    return number


def analysis_parser(description: str) -> argparse.ArgumentParser:
    """Return :func:`parser` with what every analysis of trained students takes: checkpoints, images, output folder."""
    result = parser(description, distributed=False)
    result.add_argument(
        'checkpoints',
        nargs='+',
        metavar='NAME=CHECKPOINT',
        help='trained students, of this config or of any other of the same student (plain, KD), each with '
        'a name for tables and figures; without NAME= the file is the name',
    )
    result.add_argument(
        '--loss', default='topology', help='name of the topology loss in model.losses (default: %(default)s)'
    )
    result.add_argument(
        '--split',
        choices=['train', 'test'],
        default='test',
        help='whose images, without augmentation (default: %(default)s)',
    )
    result.add_argument('--batches', type=count, help='stop after so many batches; default: all')
    result.add_argument('--out', help='folder for tables and figures (default: <work dir>/analysis)')
    return result


def named_paths(words: Sequence[str], exists: Callable[[str], bool], what: str) -> dict[str, str]:
    """Read ``NAME=PATH`` arguments.

    Args:
        words (Sequence[str]): The arguments; one without a name is named after its file or folder.
        exists (Callable): ``os.path.isfile`` or ``os.path.isdir``.
        what (str): What a path should be, for the messages: 'checkpoint' or 'run'.

    Returns:
        dict: Path by name, in the order given.

    Raises:
        FileNotFoundError: If a path does not exist.
        ValueError: If two have the same name.
    """
    result: dict[str, str] = {}
    for word in words:
        if '=' in word and not exists(word):
            name, path = word.split('=', 1)
        else:
            own = Path(word).resolve()
            name, path = own.name if own.is_dir() else own.stem, word
        if not exists(path):
            raise FileNotFoundError(f"{what} '{path}' does not exist: correct the path of NAME={what.upper()}")
        if name in result:
            raise ValueError(f"two {what}s are named '{name}', each needs a name of its own: give NAME={what.upper()}")
        result[name] = path
    return result


def analysis_folder(args: argparse.Namespace, cfg: Config) -> str:
    """Make and return the folder that an analysis writes to."""
    folder = args.out or osp.join(cfg.work_dir, 'analysis')
    os.makedirs(folder, exist_ok=True)
    return folder


def origin(args: argparse.Namespace, *names: str, **values: Any) -> dict[str, Any]:
    """Return what an analysis writes beside its findings, so that it can be repeated: its command and arguments.

    Args:
        args (argparse.Namespace): Of the tool.
        names (str): Arguments to write as they are.
        values (Any): What is written besides.
    """
    return dict(command=shlex.join(sys.argv), **{name: getattr(args, name) for name in names}, **values)


def load_config(args: argparse.Namespace) -> Config:
    """Read the config that the arguments name and apply their overrides.

    Raises:
        FileNotFoundError: If the file does not exist.
        TypeError: If its work directory or its default scope is no name.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = read_config(args.config)
    merge_cfg_options(cfg, args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('work_dirs', osp.splitext(osp.basename(args.config))[0])
    if not isinstance(cfg.work_dir, str) or not cfg.work_dir.strip():
        raise TypeError(f'work_dir must be the name of a folder, got {cfg.work_dir!r}: correct it in the config')
    if not isinstance(cfg.get('default_scope'), (str, type(None))):
        raise TypeError(
            f'default_scope must be the name of a package, got {cfg.default_scope!r}: correct it in the config'
        )
    return cfg


def _fail(error: Exception) -> NoReturn:
    """End with a sentence, or with the signal that is behind the error."""
    behind = interruption(error)
    if behind is not None:
        raise behind
    message = None if os.environ.get('TOPKD_DEBUG') == '1' else sentence(error)
    if message is None:
        raise error
    config = next((word for word in sys.argv[1:] if word.endswith('.py') or '::' in word), 'CONFIG')
    message = re.sub(r'(?<![\w=])CONFIG(?![\w.@\[])', lambda found: config, message)
    print(f'error: {message} [TOPKD_DEBUG=1 shows where]', file=sys.stderr)
    with suppress(OSError):
        flush()
    sys.exit(1)


def _end(stop: KeyboardInterrupt, go_on: str) -> NoReturn:
    what, code = ('SIGTERM', 143) if isinstance(stop, Terminated) else ('Ctrl-C', 130)
    print(f'\nstopped by {what}; what is finished stays: {go_on}', file=sys.stderr)
    sys.exit(code)


def flush() -> None:
    """Print what was not printed yet.

    Raises:
        OSError: If it cannot be, for example into a pipe whose reader has ended; nothing more is printed then.
    """
    if sys.stdout is None:  # closed by who started the tool
        return
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, 'w')  # noqa: SIM115 -- the interpreter would try again at its end
        raise


def say_once_that_the_log_is_lost() -> None:
    """Let a log that cannot be written, because the disk is full, be one line instead of many tracebacks.

    What matters, checkpoints and results, still ends the tool if it cannot be written.
    """
    lost: set[str] = set()

    def say(handler: logging.Handler, record: logging.LogRecord) -> None:
        name = getattr(handler, 'baseFilename', type(handler).__name__)
        if name not in lost:
            lost.add(name)
            print(f"warning: the log '{name}' cannot be written any more ({sys.exc_info()[1]})", file=sys.stderr)

    setattr(logging.Handler, 'handleError', say)  # noqa: B010 -- mypy takes no method for another


class Options(DictAction):
    """Read KEY=VALUE words into a dict, as MMEngine does, and refuse what cannot be read."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Add the words to the options read before."""
        for word in values or ():
            key, equals, value = word.partition('=')
            if not equals or not key or any(not part for part in key.split('.')):
                parser.error(f"argument {option_string}: expected KEY=VALUE with names between dots, got '{word}'")
            if any(value.count(pair[0]) != value.count(pair[1]) for pair in ('()', '[]')):
                parser.error(f"argument {option_string}: a bracket in '{word}' is not closed")
        super().__call__(parser, namespace, values, option_string)


def tool(main: Callable[[], Any] | None = None, *, go_on: str = 'give the same command again') -> Callable:
    """Turn a user's mistake into one sentence and exit code 1; with TOPKD_DEBUG=1 the traceback is shown.

    Ctrl-C and SIGTERM end with one line and exit code 130 or 143. Also forbids unrestricted unpickling of checkpoints
    for everything that the tool loads, and the weights of other networks in ``init_cfg``.

    Args:
        main (Callable): The tool.
        go_on (str): What the user does to go on after Ctrl-C or SIGTERM.
    """
    if main is None:
        return partial(tool, go_on=go_on)

    @wraps(main)
    def run() -> None:
        os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] = '1'
        try:
            with terminated_by_exception():
                try:
                    say_once_that_the_log_is_lost()
                    use_safe_loader()
                    use_checked_initialization()
                    save_without_interruption()
                    atexit.unregister(ignore_signals)
                    atexit.register(ignore_signals)  # what is registered last is called first
                    main()
                    flush()
                except Exception as error:
                    _fail(error)
        except KeyboardInterrupt as stop:
            _end(stop, go_on)

    return run
