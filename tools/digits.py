#!/usr/bin/env python3
"""The whole method on scikit-learn's digits: teacher, clouds and images, RipsNet, students, a table and a picture.

It is the table ``digits`` of tools/reproduce.py, run on two cores in two to three minutes.
"""

import argparse
import os
import shutil
import time
from pathlib import Path

from preload import preload

BEGIN = time.time()
TOOLS = Path(__file__).resolve().parent
TOP1 = 'accuracy/top1'
LABELS = {
    'teacher': 'teacher ResNet20',
    'plain': 'plain student ResNet8',
    'KD': 'KD student ResNet8',
    'TopKD': 'TopKD student ResNet8',
}
COLUMNS = {'last top-1': ('last', TOP1), 'best top-1': ('best', TOP1)}
QUICK = {'clouds.num_clouds': 64, 'ripsnet.max_epochs': 4}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seeds', type=int, default=3, help='runs of each student (default: 3)')
    parser.add_argument(
        '--work-dir', type=Path, default=Path('work_dirs/digits'), help='folder for everything (default: %(default)s)'
    )
    parser.add_argument('--jobs', type=int, help='processes side by side (default: 2 where there are two cores)')
    parser.add_argument('--quick', action='store_true', help='a few steps of everything, to see that it runs')
    return parser.parse_args()


def main() -> None:
    """Run the table, and close with its figures."""
    from topkd.reproduction.embedded import EmbeddedJob, closing_table, make_plan
    from topkd.reproduction.fork_queue import ForkQueue
    from topkd.reproduction.tables import TABLES

    counts = dict(seeds=args.seeds, jobs=args.jobs)
    low = [f'--{name} {value}' for name, value in counts.items() if value is not None and value < 1]
    if low:  # argparse has no words for it, and the tools' own types would be imported before the jobs' process starts
        raise ValueError(f'{" and ".join(low)}: a whole number from 1 is expected')
    jobs = args.jobs or min(2, os.cpu_count() or 1)
    epochs, options = (2, QUICK) if args.quick else (None, {})
    plan = make_plan(TABLES['digits'], TOOLS.parent / 'configs', args.work_dir, range(args.seeds), epochs, **options)
    job = EmbeddedJob(plan, ForkQueue(TOOLS, jobs), LABELS, (TOP1, '{:.2f} %'), BEGIN)
    job.run()
    closing = closing_table('network', job.results(), COLUMNS, 2)
    png = args.work_dir / 'persistence_images.png'
    shutil.copy(job.pictures()[0] / 'images_cloud1.png', png)
    (args.work_dir / 'table.txt').write_text(closing + '\n')
    print(
        f'\nAccuracy on the 359 test digits, {args.seeds} seeds, {time.time() - BEGIN:.0f} s\n\n{closing}\n\n'
        '"best" is chosen on the test digits, as papers do; "last" is not.\n'
        f'Picture: {png}'
    )


if __name__ == '__main__':
    args = arguments()
    preload('mmpretrain', threads=1)  # on images of 8 x 8 pixels a second thread costs more than it saves
    from topkd.cli import tool

    tool(go_on='the same command goes on where it stopped')(main)()
