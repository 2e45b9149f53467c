#!/usr/bin/env python3
"""Make the point clouds of a config's teacher and their persistence images, for tools/train_ripsnet.py.

Diagrams of dimension 0 are computed by topkd, those of dimension 1 by topkd from pairs that gudhi's Ripser finds, those
of higher dimensions by gudhi; the log and the artifact's manifest.json say which.
"""

import topkd  # noqa: F401
from topkd.cli import tool
from topkd.cli.artifacts import artifact_parser, artifact_runner


@tool(go_on='the same command goes on where it stopped')
def main() -> None:
    runner = artifact_runner(artifact_parser(__doc__).parse_args(), 'PersistenceImageRunner', 'gen_pi')
    print(runner.run())


if __name__ == '__main__':
    main()
