"""Run the campaigns for a while: ``python -m tests.campaigns --minutes 30``."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .processes import warm_up

# of the time
SHARES = dict(clouds=1, inputs=4, kills=4, concurrency=1)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, prog='python -m tests.campaigns')
    parser.add_argument(
        'names', nargs='*', metavar='CAMPAIGN', help='clouds, inputs, kills or concurrency (default: all)'
    )
    parser.add_argument('--minutes', type=float, default=30, help='for all campaigns together (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of everything that is random (default: %(default)s)')
    parser.add_argument('--runs', type=int, help='end each campaign after so many runs, however long that takes')
    parser.add_argument('--json', type=Path, help='file for counts, problems and what was accepted')
    parser.add_argument('--scenarios', nargs='+', help='of the kills (default: all)')
    parser.add_argument('--folder', type=Path, help='for the runs, whose failures stay there (default: a new one)')
    return parser.parse_args()


def main() -> int:
    """Run them and print their counts; returns 1 if there was a problem."""
    args = arguments()
    warm_up()
    # behind the imports that all of them share
    from . import clouds, concurrency, inputs, kills
    from .report import Limit, Report

    campaigns: dict[str, Callable] = dict(
        clouds=clouds.campaign, inputs=inputs.campaign, kills=kills.campaign, concurrency=concurrency.campaign
    )
    chosen = args.names or list(campaigns)
    root = (args.folder or Path(tempfile.mkdtemp(prefix='campaigns'))).resolve()
    report = Report()
    shares = sum(SHARES[name] for name in chosen)
    for name in chosen:
        options = dict(names=args.scenarios) if name == 'kills' else {}
        limit = Limit(60 * args.minutes * SHARES[name] / shares, args.runs)
        campaigns[name](args.seed, limit, report, root / name, **options)
    print(report, flush=True)
    if args.json is not None:
        args.json.write_text(json.dumps(vars(report), indent=2))
    return 1 if report.problems else 0


if __name__ == '__main__':
    sys.exit(main())
