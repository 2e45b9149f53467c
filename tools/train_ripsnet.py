#!/usr/bin/env python3
"""Train RipsNet on the artifact that tools/gen_pi.py made for the same config."""

import topkd  # noqa: F401
from topkd.cli import load_config, parser, tool
from topkd.launch import setup_processes
from topkd.registry import RUNNERS


@tool
def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument('--loss', default='topology', help='name of the topology loss in model.losses')
    args = arguments.parse_args()
    cfg = load_config(args)
    setup_processes(cfg)
    print(RUNNERS.get('RipsNetRunner').from_cfg(cfg, args.loss).run())


if __name__ == '__main__':
    main()
