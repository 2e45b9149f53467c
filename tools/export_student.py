#!/usr/bin/env python3
"""Write the student of a distillation checkpoint as one that loads in the host toolbox, and verify it."""

import topkd  # noqa: F401
from topkd.cli import keep_inputs, load_config, parser, path, tool
from topkd.launch import setup_processes
from topkd.utils.config import read_config
from topkd.utils.student_export import export_student


@tool
def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument('checkpoint', help='checkpoint of the distillation')
    arguments.add_argument('out', type=path, help='file to write')
    arguments.add_argument(
        '--weights',
        choices=['ema', 'raw'],
        default='ema',
        help='averaged weights where the training kept an average, or the raw ones (default: ema)',
    )
    arguments.add_argument(
        '--student-config', help='plain config that the file must load in; default: the student of CONFIG'
    )
    arguments.add_argument('--member', help='name of the member, if CONFIG is a cohort')
    args = arguments.parse_args()
    keep_inputs(args.out, args.config, args.checkpoint, args.student_config)
    cfg = load_config(args)
    setup_processes(cfg)
    target = read_config(args.student_config) if args.student_config else None
    difference = export_student(cfg, args.checkpoint, args.out, args.weights, target, args.member)
    print(f'{args.out}: loads strictly, greatest difference of the outputs {difference:g}')


if __name__ == '__main__':
    main()
