#!/usr/bin/env python3
"""Train a student with its teacher, or a plain baseline: any config, by MMEngine's runner."""

from mmengine.device import get_device
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

import topkd  # noqa: F401
from topkd.cli import load_config, parser, tool
from topkd.launch import setup_processes
from topkd.preflight import check_run
from topkd.training_setup import prepare_training
from topkd.utils.allocator import keep_freed_memory
from topkd.utils.config import FormattedOnce
from topkd.utils.lock import working_in
from topkd.utils.resume import newest_checkpoint, warn_of_another_training


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
    setup_processes(cfg)
    keep_freed_memory()
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        on_cpu = get_device() == 'cpu'
        cfg.optim_wrapper.type = 'topkd.Bfloat16OptimWrapper' if on_cpu else 'AmpOptimWrapper'
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise KeyError('--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in the config')
        cfg.auto_scale_lr.enable = True
    with working_in(cfg.work_dir, 'training', wait=False):
        # resume=True in a config is --resume, with load_from --resume CHECKPOINT
        resume = args.resume or (cfg.get('resume') and (cfg.get('load_from') or 'auto'))
        checkpoint = newest_checkpoint(cfg.work_dir) if resume == 'auto' else resume or None
        cfg.resume = checkpoint is not None
        if checkpoint is not None:
            cfg.load_from = str(checkpoint)
        else:
            warn_of_another_training(cfg)
        check_run(cfg, 'train')
        prepare_training(cfg)
        cfg = FormattedOnce(cfg)
        runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
        runner.train()


if __name__ == '__main__':
    main()
