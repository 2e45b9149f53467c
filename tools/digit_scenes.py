#!/usr/bin/env python3
"""Detection on scenes of handwritten digits: data, teacher, plain, KD and TopKD student, a table and a picture.

It is the table ``scenes`` of tools/reproduce.py, on scenes that are drawn first; ``--detector retinanet`` runs it with
a one-stage detector.
"""

import argparse
import shutil
import time
from pathlib import Path

from preload import preload

BEGIN = time.time()
TOOLS = Path(__file__).resolve().parent
PAIRS = {
    'faster-rcnn': 'faster-rcnn_r18w32-r18w16_digit-scenes_exact',
    'retinanet': 'retinanet_r18w32-r18w16_digit-scenes_exact',
}
DEFAULT = 'faster-rcnn'
LABELS = {'teacher': 'teacher', 'plain': 'plain student', 'KD': 'KD student', 'TopKD': 'TopKD student'}
# pycocotools' summary: average precision over IoU 0.5 to 0.95, at 0.5, at 0.75, and by the objects' size
AP = 'coco/bbox_mAP'
COLUMNS = {
    name: ('last', AP + suffix)
    for name, suffix in dict(AP='', AP50='_50', AP75='_75', APs='_s', APm='_m', APl='_l').items()
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--work-dir',
        type=Path,
        default=Path('work_dirs/digit_scenes'),
        help='folder for everything (default: %(default)s)',
    )
    parser.add_argument(
        '--detector', choices=PAIRS, default=DEFAULT, help='teacher and student are one (default: %(default)s)'
    )
    parser.add_argument('--data', type=Path, help='folder of the scenes (default: <work dir>/data)')
    parser.add_argument('--seed', type=int, default=0, help='random seed of the trainings (default: %(default)s)')
    parser.add_argument('--quick', action='store_true', help='a few scenes and one pass: does everything run?')
    return parser.parse_args()


def main() -> None:
    """Draw the scenes, run the table, and close with its figures."""
    from make_digit_scenes import holds, make_digit_scenes

    from topkd.reproduction.embedded import EmbeddedJob, closing_table, make_plan
    from topkd.reproduction.fork_queue import ForkQueue
    from topkd.reproduction.tables import TABLES

    data = args.data or args.work_dir / 'data'
    info = dict(
        description='handwritten digits on textured backgrounds',
        train=16 if args.quick else 800,
        val=8 if args.quick else 100,
        seed=0,
        size=128,
    )
    if not holds(data, info):
        make_digit_scenes(data.absolute(), info)
    epochs, configs = 1 if args.quick else None, TOOLS.parent / 'configs'
    table = TABLES['scenes']._replace(pairs=(PAIRS[args.detector],))
    plan = make_plan(table, configs, args.work_dir, [args.seed], epochs, data_root=str(data))
    queue = ForkQueue(TOOLS, 1)
    job = EmbeddedJob(plan, queue, LABELS, (AP, 'AP {:.3f}'), BEGIN)
    job.say(f'{info["train"]} scenes to train on and {info["val"]} of other writers to measure, in {data}')
    job.run()
    closing = closing_table('detector', job.results(), COLUMNS, 3)
    of = '' if args.detector == DEFAULT else f'_{args.detector}'
    png = args.work_dir / f'detections{of}.png'
    shutil.copy(job.pictures()[0] / 'detections.png', png)
    (args.work_dir / f'table{of}.txt').write_text(closing + '\n')
    print(
        f"\nCOCO's average precision on {info['val']} scenes, {queue.threads} threads, "
        f'{time.time() - BEGIN:.0f} s\n\n{closing}\n\nPicture: {png}'
    )


if __name__ == '__main__':
    args = arguments()
    preload('mmdet')
    from topkd.cli import tool

    tool(go_on='the same command goes on where it stopped')(main)()
