#!/usr/bin/env python3
"""Train RipsNet on the artifact that tools/gen_pi.py made for the same config."""

import topkd  # noqa: F401
from topkd.cli import tool
from topkd.cli.artifacts import artifact_parser, artifact_runner
from topkd.models.vectorizers import OPERATORS


@tool(go_on='the same command goes on where it stopped')
def main() -> None:
    arguments = artifact_parser(__doc__)
    arguments.add_argument(
        '--operator',
        choices=OPERATORS,
        help='train this one only, and choose none: the operators of a RipsNet can be trained side by side',
    )
    args = arguments.parse_args()
    runner = artifact_runner(args, 'RipsNetRunner', 'train_ripsnet')
    print(runner.run() if args.operator is None else runner.train_operator(args.operator)['mse'])


if __name__ == '__main__':
    main()
