#!/usr/bin/env python3
"""Make the point clouds of a config's teacher and their persistence images, for tools/train_ripsnet.py.

Diagrams of dimension 0 are computed by topkd, those of dimension 1 by topkd from pairs that gudhi's Ripser finds, those
of higher dimensions by gudhi; the log and the artifact's manifest.json say which.
"""

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
    print(RUNNERS.get('PersistenceImageRunner').from_cfg(cfg, args.loss).run())


if __name__ == '__main__':
    main()
