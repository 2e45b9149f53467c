#!/usr/bin/env python3
"""Make a COCO data set of a folder in the format of Pascal VOC or YOLO.

    python tools/convert_detection.py data/mine

Writes annotations/instances_train.json and instances_val.json into the folder; images stay where they are. Then
``topkd new-pair STUDENT TEACHER --data data/mine`` writes the config of a pair on it.
"""

import argparse
import json
from pathlib import Path

from topkd.cli import Parser, share, tool
from topkd.datasets.conversion import convert_detection, recognized_format


@tool
def main() -> None:
    """Convert the folder, and say what was found."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path, help='folder of the data set: with Annotations/, or with data.yaml')
    parser.add_argument(
        '--classes',
        type=lambda words: words.split(','),
        help='names in the order of their labels, with commas, for Pascal VOC (default: all that occur, sorted)',
    )
    parser.add_argument(
        '--val-share',
        type=share,
        default=0.2,
        metavar='S',
        help='share of the images that validate if the folder has no lists of splits (default: %(default)s)',
    )
    args = parser.parse_args()
    kind = recognized_format(args.folder)
    for split, path in convert_detection(args.folder, args.classes, args.val_share).items():
        content = json.loads(path.read_text())
        print(f'{split}: {len(content["images"])} images, {len(content["annotations"])} objects, {path}')
    classes = ', '.join(category['name'] for category in content['categories'])
    print(f"{args.folder} ({kind}) is a COCO data set now, with data_prefix=dict(img=''); classes: {classes}")


if __name__ == '__main__':
    main()
