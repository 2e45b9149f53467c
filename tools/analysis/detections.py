#!/usr/bin/env python3
"""Draw what a teacher and its students find in images of the test split, below the annotated images."""

import os.path as osp

import cv2

import topkd  # noqa: F401
from topkd.analysis.detections.drawing import draw_rows
from topkd.analysis.detections.find import find_boxes, load_detectors
from topkd.analysis.record_file import write_record
from topkd.cli import analysis_folder, count, load_config, named_paths, origin, parser, tool
from topkd.launch import setup_processes


@tool
def main() -> None:
    arguments = parser(__doc__, distributed=False)
    arguments.add_argument(
        'checkpoints', nargs='+', metavar='NAME=CHECKPOINT', help='trained students, each with a name for the picture'
    )
    arguments.add_argument('--images', type=count, default=5, help='number of images (default: %(default)s)')
    arguments.add_argument(
        '--score', type=float, help='least score of a box (default: of each network the best, as many as are annotated)'
    )
    arguments.add_argument('--out', help='folder for the picture (default: <work dir>/analysis)')
    args = arguments.parse_args()
    checkpoints, cfg = named_paths(args.checkpoints, osp.isfile, 'checkpoint'), load_config(args)
    setup_processes(cfg)
    images, found = find_boxes(cfg, load_detectors(cfg, checkpoints), args.images, args.score)
    folder = analysis_folder(args, cfg)
    path = osp.join(folder, 'detections.png')
    cv2.imwrite(path, draw_rows(images, found))
    boxes = {name: [len(here.corners) for here in of_images] for name, of_images in found.items()}
    for name, counts in boxes.items():
        print(f'{name}: {sum(counts)} boxes in {len(counts)} images')
    made_from = origin(args, 'config', 'images', 'score', checkpoints=checkpoints)
    print('\n'.join([write_record(folder, 'detections', made_from, dict(boxes=boxes)), path]))


if __name__ == '__main__':
    main()
