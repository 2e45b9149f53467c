"""``topkd new-baseline``: write the config that trains a detector of mmdet on own data."""

import argparse
from pathlib import Path

from mmengine.registry import MODELS, init_default_scope

from topkd.cli import Parser, config_path, count, keep_inputs, tool
from topkd.command.coco_folder import CocoFolder, coco_folder
from topkd.command.config_files import SPLITS, data_roots, named_from, stem, written_file
from topkd.command.detector_config import BATCH_SIZE, MONITOR, class_changes, data_lines, hook_lines, is_detector
from topkd.utils.config import read_config, with_preprocessor


def arguments() -> argparse.Namespace:
    """Read the command line."""
    result = Parser(description=__doc__)
    result.add_argument('config', help="a detector's config: a file, or package::file, such as mmdet::gfl/NAME.py")
    result.add_argument('--data', required=True, help='folder of the data, in COCO format')
    result.add_argument('--batch-size', type=count, default=BATCH_SIZE, help='of a step (default: %(default)s)')
    result.add_argument('--out', type=config_path, help='file to write (default: <config>_<data>.py here)')
    result.add_argument('--force', action='store_true', help='write over a file that is there')
    return result.parse_args()


@tool
def new_baseline() -> None:
    """Write the config of a detector on own data, build the detector from it, and say what comes next."""
    args = arguments()
    args.out = args.out or Path(f'{stem(args.config)}_{Path(args.data).resolve().name}.py')
    keep_inputs(args.out, args.config)
    cfg, folder = read_config(args.config), coco_folder(args.data)
    if not is_detector(cfg.model):
        raise ValueError(
            f"'{args.config}' must be the config of a detector with a box head, got the model {cfg.model.type}: for "
            'classifiers, inherit their config and set data_root'
        )
    with written_file(args.out, text(args, folder), args.force) as candidate:
        written = read_config(str(candidate))
        init_default_scope(written.get('default_scope', 'mmdet'))
        MODELS.build(with_preprocessor(written.model, written))
    print(f'{args.out.read_text(encoding="utf-8")}\nwritten to {args.out}\n\nnext:\n{_next(cfg, args)}')


def text(args: argparse.Namespace, folder: CocoFolder) -> str:
    """Write the config.

    Args:
        args (argparse.Namespace): See :func:`arguments`.
        folder (CocoFolder): The data.
    """
    cfg = read_config(args.config)
    roots = {split: data_roots(cfg[f'{split}_dataloader']) for split in SPLITS if cfg.get(f'{split}_dataloader')}
    lines = [
        f'_base_ = [{named_from(args.config, args.out.resolve().parent)!r}]',
        '',
        f'batch_size = {args.batch_size}',
        *data_lines(cfg, folder, roots),
        f'model = dict({class_changes(cfg.model)})',
        f"default_hooks = dict(checkpoint=dict(max_keep_ckpts=2, save_best='{MONITOR}', rule='greater'))",
        *hook_lines(cfg, ['CategoryCheckHook']),
        '',
    ]
    return '\n'.join(lines)


def _next(cfg: dict, args: argparse.Namespace) -> str:
    """Say how to train it; mmdet's learning rates are made for other batches."""
    scaled = ' --auto-scale-lr' if cfg.get('auto_scale_lr') else ''
    return f'topkd train {args.out}{scaled}'
