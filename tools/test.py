#!/usr/bin/env python3
"""Evaluate a checkpoint on the test split: a plain network's, an exported student's or a whole distillation's."""

from mmengine.runner import Runner

import topkd  # noqa: F401
from topkd.cli import load_config, parser, tool
from topkd.launch import setup_processes
from topkd.preflight import check_run
from topkd.utils.checkpoint import load_state, load_weights
from topkd.utils.config import FormattedOnce
from topkd.utils.student_export import plain_config
from topkd.utils.student_state import plain_state


@tool
def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument('checkpoint', help='checkpoint file')
    arguments.add_argument('--member', help='name of the member, if CONFIG is a cohort')
    args = arguments.parse_args()
    cfg = load_config(args)
    check_run(cfg, 'test')
    setup_processes(cfg)
    # only a student is evaluated: neither teacher nor RipsNet need be at hand
    plain_config(cfg, args.member)
    weights = plain_state(load_state(args.checkpoint), args.member)
    runner = Runner.from_cfg(FormattedOnce(cfg))
    load_weights(
        runner.model.module if hasattr(runner.model, 'module') else runner.model, args.checkpoint, weights=weights
    )
    metrics = runner.test()
    print('\n'.join(f'{name}: {value:.4f}' for name, value in metrics.items()))


if __name__ == '__main__':
    main()
