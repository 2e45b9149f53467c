"""Try malformed inputs until the time is over."""

import random
import shutil
from pathlib import Path

from ..processes import run
from ..report import Limit, Report
from .ground import CALLS, make_ground
from .mutations import Mutation, mutations
from .oracle import complaint, empty_success


def campaign(seed: int, limit: Limit, report: Report, root: Path) -> None:
    """Run the tools on malformed inputs and judge how they end.

    Args:
        seed (int): Of the inputs.
        limit (Limit): When to stop.
        report (Report): Told the counts and problems.
        root (Path): Folder of the runs; that of a problem stays.
    """
    draw, ground = random.Random(seed), root / 'ground'
    if not ground.is_dir():
        make_ground(ground)
    for number, mutate in enumerate(mutations(draw, CALLS)):
        if not limit.another():
            break
        folder = root / f'{number:05d}'
        shutil.copytree(ground, folder)
        mutation = mutate(folder)
        problem = None if mutation is None else _try(folder, mutation, report)
        if problem is None:
            shutil.rmtree(folder)
        else:
            words = ' '.join(mutation.arguments)
            report.problem(f'inputs {number}: {mutation.tool} {words} [{mutation.what}]: {problem}')


def _try(folder: Path, mutation: Mutation, report: Report) -> str | None:
    finished = run(folder, mutation.tool, mutation.arguments)
    report.count('malformed inputs')
    if (folder / 'PWNED').exists():
        return 'code of a file was run'
    if finished.codes[0] != 0 or finished.hung:
        report.count('malformed inputs refused')
        return complaint(finished.codes[0], finished.output, finished.hung)
    report.count('malformed inputs that made no difference')
    report.accepted.append(f'{mutation.tool} [{mutation.what}]')
    return 'exit 0 on what cannot be right' if mutation.must_fail else empty_success(mutation.tool, folder)
