"""Dispatch ``topkd NAME ...`` to a tool of this package or to one of the command's own words."""

import runpy
import sys
from importlib import import_module
from pathlib import Path

# the command's own words; imported when they are called, as the doctor must run where the others cannot
OWN = {'doctor': 'doctor', 'new-baseline': 'new_baseline', 'new-pair': 'new_pair'}
TOOLS = Path(__file__).resolve().parent.parent / '.mim' / 'tools'
USAGE = """usage: topkd COMMAND [arguments]

  topkd new-pair STUDENT TEACHER     write the config of a pair
  topkd new-baseline CONFIG          write the config of a detector on own data
  topkd doctor                       versions, hosts, GPU and data, and what to do about what is missing
  topkd TOOL ...                     what python tools/TOOL.py does: {tools}
  topkd analysis TOOL ...            what python tools/analysis/TOOL.py does: {analyses}

topkd COMMAND --help says more. Configs of this package are named topkd::FOLDER/FILE.py, for example
topkd train topkd::topkd/resnet56-resnet20_cifar100_exact.py"""


def words() -> dict[tuple[str, ...], Path]:
    """List the tools of this package by the words that name them.

    Returns:
        dict: File by words, such as ('train', ) or ('analysis', 'bottleneck'), with dashes for underscores.
    """
    files = sorted([*TOOLS.glob('*.py'), *TOOLS.glob('analysis/*.py')])
    return {
        tuple(part.replace('_', '-') for part in path.relative_to(TOOLS).with_suffix('').parts): path for path in files
    }


def usage() -> str:
    """Return what ``topkd --help`` prints."""
    known = words()
    return USAGE.format(
        tools=', '.join(name[0] for name in known if len(name) == 1),
        analyses=', '.join(name[1] for name in known if len(name) == 2),
    )


def main() -> None:
    """Run what the first words of the command line name; the rest of it is theirs."""
    given = sys.argv[1:]
    if not given or given[0] in ('-h', '--help', 'help'):
        print(usage())
        return
    if given[0] in OWN:
        sys.argv = [f'topkd {given[0]}', *given[1:]]
        function = OWN[given[0]]
        getattr(import_module(f'topkd.command.{function}'), function)()
        return
    known = words()
    name = next((name for name in (tuple(given[:1]), tuple(given[:2])) if name in known), None)
    if name is None:
        print(f"error: there is no command 'topkd {' '.join(given[:2])}'\n\n{usage()}", file=sys.stderr)
        sys.exit(2)
    sys.argv = [str(known[name]), *given[len(name) :]]
    runpy.run_path(str(known[name]), run_name='__main__')


if __name__ == '__main__':
    main()
