#!/usr/bin/env python3
"""List what losses can tap in the networks of a config, with shapes, and what its losses tap."""

from mmengine.logging import MMLogger

import topkd  # noqa: F401
from topkd.analysis.taps import config_taps, lines
from topkd.cli import count, load_config, parser, tool
from topkd.launch import setup_processes


@tool
def main() -> None:
    arguments = parser(__doc__, distributed=False)
    arguments.add_argument('--depth', type=count, help='longest path, in names between dots (default: all)')
    arguments.add_argument(
        '--filter', default='', metavar='WORD', help='lines whose path, class or reader holds this word (default: all)'
    )
    arguments.add_argument(
        '--size',
        nargs='+',
        type=count,
        metavar='PIXELS',
        help='height and width of the image (default: what the networks say they were made for, or 64)',
    )
    arguments.add_argument('--member', help='name of the member, if CONFIG is a cohort')
    args = arguments.parse_args()
    if args.size is not None and len(args.size) > 2:
        arguments.error(f'argument --size: expected one or two numbers, got {len(args.size)}')
    cfg = load_config(args)
    setup_processes(cfg)
    size = None if args.size is None else (args.size[0], args.size[-1])
    MMLogger.get_instance('taps', log_level='ERROR')  # what libraries say on building networks is of no interest here
    networks = config_taps(cfg, size, args.member)
    print('\n\n'.join('\n'.join(lines(network, args.depth, args.filter)) for network in networks))


if __name__ == '__main__':
    main()
