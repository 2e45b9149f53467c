#!/usr/bin/env python3
"""Evaluate a checkpoint on the test split: a plain network's, an exported student's or a whole distillation's."""

from mmengine.runner import Runner

import topkd  # noqa: F401
from topkd.cli import load_config, parser, tool
from topkd.launch import setup_processes
from topkd.utils.checkpoint import MEMBERS, PREFIX, load_state, load_weights, student_state
from topkd.utils.student_export import student_config


@tool
def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument('checkpoint', help='checkpoint file')
    arguments.add_argument('--member', help='name of the member, if CONFIG is a cohort')
    args = arguments.parse_args()
    cfg = load_config(args)
    setup_processes(cfg)
    weights = load_state(args.checkpoint)
    if 'student' in cfg.model or 'members' in cfg.model:
        # only the student is evaluated: neither teacher nor RipsNet need be at hand
        cfg.model = student_config(cfg, args.member)
        if any(key.startswith((PREFIX, MEMBERS)) for key in weights):
            weights = student_state(weights, args.member)
        cfg.custom_hooks = []
    runner = Runner.from_cfg(cfg)
    load_weights(
        runner.model.module if hasattr(runner.model, 'module') else runner.model, args.checkpoint, weights=weights
    )
    metrics = runner.test()
    print('\n'.join(f'{name}: {value:.4f}' for name, value in metrics.items()))


if __name__ == '__main__':
    main()
