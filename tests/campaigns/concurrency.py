"""Two of the same tool in one folder at once: they wait for each other or refuse, and nothing is damaged."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

from .failpoints import Kill
from .kills import Target
from .processes import start, wait
from .report import Limit, Report
from .scenarios import CONFIG

# what the second one says while the first is at work, and whether it then does its work, too
WAITS = {'gen_pi': 'another process is making clouds', 'train_ripsnet': 'another process is training this RipsNet'}
REFUSES = {'plain': 'another process is training'}
# ended by signals, too
SIGNALED = ('folders', 'distilled')
LINE = 'what is finished stays'


def campaign(seed: int, limit: Limit, report: Report, root: Path) -> None:
    """Start pairs of tools at random distances, and end others by SIGTERM, until the limit is reached.

    Args:
        seed (int): Of the distances.
        limit (Limit): When it ends.
        report (Report): Receives counts and problems.
        root (Path): Empty folder.
    """
    generator = random.Random(seed)
    targets = [Target(name, root / name) for name in (*WAITS, *REFUSES, *SIGNALED)]
    while True:
        for target in targets:
            for attempt in (_terminated,) if target.name in SIGNALED else (_two_at_once, _terminated):
                if not limit.another():
                    return
                attempt(target, generator, report)


def _two_at_once(target: Target, generator: random.Random, report: Report) -> None:
    folder = target.folder()
    arguments = [CONFIG, *target.scenario.arguments]
    # the first rests at a change of a file, long enough for the second to come across it
    rest = Kill(generator.randrange(1, len(target.points)), pause=2 * target.seconds + 1)
    later = generator.uniform(0, target.seconds)
    first = start(folder, target.scenario.tool, arguments, rest)
    time.sleep(later)
    second = start(folder, target.scenario.tool, arguments)
    # or is killed: what waits must go on in its place
    if target.name in WAITS and generator.random() < 0.3:
        time.sleep(generator.uniform(1, 2) * target.seconds)
        os.kill(first[0], signal.SIGKILL)
    ended = [wait(folder, first), wait(folder, second)]
    report.count(f'pairs of {target.name}')
    problems = target.difference(folder)[:3]
    refused = 0
    for finished in ended:
        said = [line for line in finished.output.splitlines() if line.startswith('error: ')]
        if finished.hung or 'Traceback' in finished.output:
            problems.append(f'it hangs or dies: {finished.output[-800:]}')
        elif finished.codes == (1,):
            refused += 1
            if target.name in WAITS or len(said) != 1 or REFUSES[target.name] not in said[0]:
                problems.append(f'it fails: {finished.output[-800:]}')
        report.count(f'waits in {target.name}', finished.output.count('waiting for its end'))
    report.count(f'refusals in {target.name}', refused)
    _close(target, folder, problems, f'the second {later:.2f} s later', report)


def _terminated(target: Target, generator: random.Random, report: Report) -> None:
    """End a run by SIGTERM or Ctrl-C at a change of a file or at any moment, and let it go on."""
    folder, number = target.folder(), generator.choice((signal.SIGTERM, signal.SIGINT))
    arguments = [CONFIG, *target.scenario.arguments]
    if generator.random() < 0.5:
        point = generator.randrange(len(target.points))
        where = f'before {target.points[point]} ({point})'
        processes = start(folder, target.scenario.tool, arguments, Kill(point, signal=number))
    else:
        processes = start(folder, target.scenario.tool, arguments)
        after = generator.uniform(0.3, 1) * target.seconds  # Python's own start takes no signal handler yet
        where = f'after {after:.2f} s'
        time.sleep(after)
        os.kill(processes[0], number)
    finished = wait(folder, processes)
    problems = []
    report.count(f'signals to {target.name}')
    if finished.codes[0] in (130, 143):
        report.count(f'ended by {signal.Signals(number).name}')
        if LINE not in finished.output.splitlines()[-1] or 'Traceback' in finished.output:
            problems.append(f'its last words are {finished.output[-500:]!r}')
    elif finished.codes[0] != 0:
        problems.append(f'it ends with {finished.codes}: {finished.output[-800:]}')
    _, finished = target.call(folder, Kill(), again=True)
    if any(finished.codes):
        problems.append(f'it does not go on: {finished.output[-800:]}')
    _close(target, folder, problems + target.difference(folder)[:3], f'{number.name} {where}', report)


def _close(target: Target, folder: Path, problems: list[str], how: str, report: Report) -> None:
    if problems:
        report.problem(f'{target.name}, {how}: {"; ".join(problems)} (in {folder})')
    else:
        shutil.rmtree(folder)
