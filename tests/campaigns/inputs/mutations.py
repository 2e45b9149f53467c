"""Malformed calls, drawn at random: what is changed, and whether the run may still succeed."""

import argparse
import contextlib
import random
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from topkd.utils.error_context import entries

from ..processes import ROOT
from .formats import damages_of
from .values import bad_values, settings_of


class Mutation(NamedTuple):
    """A malformed call.

    Attributes:
        call: Name of the valid call.
        tool: File of ``tools/``.
        arguments: Of the command line.
        what: What is malformed, for the report.
        must_fail: Whether a run cannot have done what was asked.
    """

    call: str
    tool: str
    arguments: list[str]
    what: str
    must_fail: bool


class Captured(BaseException):
    """Carries a tool's parser out of the tool."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__()
        self.parser = parser


def parser_of(tool: str) -> argparse.ArgumentParser:
    """Return the parser that a tool makes."""

    def capture(self: argparse.ArgumentParser, *args: Any, **kwargs: Any) -> None:
        raise Captured(self)

    original, argv = argparse.ArgumentParser.parse_args, sys.argv
    argparse.ArgumentParser.parse_args, sys.argv = capture, [tool]  # type: ignore[assignment, method-assign]
    try:
        with contextlib.suppress(SystemExit):
            runpy.run_path(str(ROOT / 'tools' / tool), run_name='__main__')
    except Captured as captured:
        return captured.parser
    finally:
        argparse.ArgumentParser.parse_args, sys.argv = original, argv  # type: ignore[method-assign]
    raise RuntimeError(f'{tool} parses no arguments')


def of_arguments(call: str, tool: str, arguments: list[str], draw: random.Random) -> Mutation:
    """Give an argument of the tool a value that it cannot have."""
    actions = [action for action in parser_of(tool)._actions if action.dest != 'help']
    action = draw.choice(actions)
    option = action.option_strings[0] if action.option_strings else None
    if option is None:
        position = draw.choice([i for i, word in enumerate(arguments) if not word.startswith('-')])
        word = draw.choice(['nowhere.py', '', 'plain.pth', 'data', '/dev/null', 'foo::bar.py', '\x01', 'a' * 300])
        return Mutation(
            call,
            tool,
            [*arguments[:position], word, *arguments[position + 1 :]],
            f'argument {position} {word!r:.40}',
            False,
        )
    values = ['nowhere', '-1', '0', '', 'nan', '1e9', '[', 'a=b', 'data', 'plain.pth/x']
    words = [] if action.nargs == 0 else [draw.choice(values)]
    if action.dest == 'cfg_options':
        words = [
            draw.choice(['foo', 'foo=1', '=1', 'a.=2', 'model=3', 'train_cfg.max_epoch=1', 'model.x.y.z=1', 'a=(1,[2'])
        ]
    return Mutation(
        call, tool, [*arguments, option, *words], f'{option} {" ".join(words)}', action.dest == 'cfg_options'
    )


def of_entries(folder: Path, call: str, tool: str, arguments: list[str], draw: random.Random) -> Mutation:
    """Give an entry of the call's config a value of another kind or out of range, or take it away."""
    path = folder / arguments[0]
    cfg = Config.fromfile(path)
    leaves = [
        (place, node, key)
        for place, node in entries(cfg)
        if isinstance(node, (dict, list)) and not place.startswith(('visualizer', 'env_cfg'))
        for key in (list(node) if isinstance(node, dict) else range(len(node)))
    ]
    place, node, key = draw.choice(leaves)
    old = node[key]
    how = draw.random()
    if how < 0.1 and isinstance(node, dict):
        node.pop(key)
        what = 'missing'
    elif how < 0.2 and isinstance(node, dict):
        node[f'{key}_x'] = old
        key, what = f'{key}_x', f'new, {old!r:.30}'
    else:
        value = draw.choice(bad_values(str(key), dict if isinstance(old, dict) else type(old)))
        node[key] = value
        what = repr(value)
    _write(cfg, path)
    return Mutation(call, tool, arguments, f'{path.name}: {place}.{key} {what}', False)


def of_signatures(folder: Path, call: str, tool: str, arguments: list[str], draw: random.Random) -> Mutation:
    """Give an argument of a component of the call's config, said there or not, a value that it hardly can have."""
    path = folder / arguments[0]
    cfg = Config.fromfile(path)
    node, name, kind, place = draw.choice(list(settings_of(cfg)))
    value = draw.choice(bad_values(name, kind))
    node[name] = value
    _write(cfg, path)
    return Mutation(call, tool, arguments, f'{path.name}: {place} {value!r:.60}', False)


def _write(cfg: Config, path: Path) -> None:
    path.write_text(f"nan, inf = float('nan'), float('inf')\n{cfg.pretty_text}")


def of_files(folder: Path, call: str, tool: str, arguments: list[str], draw: random.Random) -> Mutation | None:
    """Damage a file that the call reads."""
    inside = folder / FOLDERS.get(call, '')
    named = [path for path in sorted(inside.rglob('*')) if path.is_file() and path.name in READ[call]]
    files = [path for path in named if call in ('resume', 'history') or 'run' not in path.relative_to(folder).parts]
    if not files:
        return None
    path = draw.choice(files)
    damage = draw.choice(damages_of(path))
    damage.apply(path, draw)
    must_fail = damage.must_fail and call not in REPAIRS
    return Mutation(call, tool, arguments, f'{path.relative_to(folder)} {damage.name}', must_fail)


# where a call reads, if files of the same names lie elsewhere
FOLDERS = dict(
    train_ripsnet='work_dirs/untrained', topkd='.', gen_pi_again='work_dirs/ripsnet', resume='run', history='logged'
)
# calls that make again what is damaged
REPAIRS = {'gen_pi_again'}
READ: dict[str, set[str]] = {
    'plain': {'plain.py'},
    'kd': {'teacher.pth', 'kd.py'},
    'exact': {'teacher.pth', 'exact.py'},
    'topkd': {'teacher.pth', 'ripsnet.pth', 'topkd.py'},
    'cifar': {'train', 'test', 'meta', 'cifar.py'},
    'scenes': {'instances_train.json', 'instances_val.json', '1.jpg', '2.jpg', 'scenes.py'},
    'gen_pi': {'teacher.pth', 'fresh.py'},
    'gen_pi_again': {'manifest.json', 'clouds.npy', 'images.npy'},
    'train_ripsnet': {'manifest.json', 'clouds.npy', 'images.npy'},
    'resume': {'epoch_1.pth'},
    'cohort': {'cohort.py', 'teacher.pth'},
    'probe': {'probe.py', 'plain.py', 'plain.pth'},
    'test': {'plain.pth', 'plain.py'},
    'test_student': {'distilled.pth', 'exact.py'},
    'export': {'distilled.pth', 'exact.py'},
    'convert': {'benchmark.pth'},
    'diagram': {'cloud.npy'},
    'history': {'scalars.json'},
    'bottleneck': {'teacher.pth', 'exact.py', 'distilled.pth'},
    'compare': {'plain.pth', 'plain.py'},
    'taps': {'kd.py'},
    'voc': {'1.xml'},
    'yolo': {'data.yaml'},
    'scenes_data': set(),
    'plan': {'topkd.py'},
}


def mutations(
    draw: random.Random, calls: dict[str, tuple[str, list[str]]]
) -> Iterator[Callable[[Path], Mutation | None]]:
    """Yield makers of malformed calls for ever; each changes the folder that it is given."""
    while True:
        call = draw.choice(list(calls))
        tool, arguments = calls[call]
        kind = draw.choices(('entries', 'signatures', 'files', 'arguments'), (4, 4, 4, 2))[0]
        if kind in ('entries', 'signatures') and arguments[0].endswith('.py'):
            of = of_entries if kind == 'entries' else of_signatures
            yield lambda folder: of(folder, call, tool, list(arguments), draw)
        elif kind == 'files':
            yield lambda folder: of_files(folder, call, tool, list(arguments), draw)
        else:
            yield lambda folder: of_arguments(call, tool, list(arguments), draw)
