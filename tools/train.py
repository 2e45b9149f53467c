#!/usr/bin/env python3
"""Train a student with its teacher, or a plain baseline: any config, by MMEngine's runner."""

from mmengine.device import get_device

import topkd  # noqa: F401
from topkd.cli import load_config, parser, tool
from topkd.training import train


@tool(go_on='--resume added to the same command goes on from the last checkpoint')
def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument(
        '--resume', nargs='?', const='auto', help='go on from the last checkpoint, or from a given one'
    )
    arguments.add_argument('--amp', action='store_true', help='automatic mixed precision; on a CPU in bfloat16')
    arguments.add_argument('--no-validate', action='store_true', help='do not evaluate during the training')
    arguments.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the learning rate with the total batch size'
    )
    args = arguments.parse_args()
    cfg = load_config(args)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        on_cpu = get_device() == 'cpu'
        cfg.optim_wrapper.type = 'topkd.Bfloat16OptimWrapper' if on_cpu else 'AmpOptimWrapper'
        for name in ('loss_scale', 'dtype', 'use_fsdp') if on_cpu else ():  # of AmpOptimWrapper
            cfg.optim_wrapper.pop(name, None)
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise KeyError('--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the config')
        cfg.auto_scale_lr.enable = True
    train(cfg, args.resume)


if __name__ == '__main__':
    main()
