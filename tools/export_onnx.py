#!/usr/bin/env python3
"""Write a trained network as an ONNX file, and compare what onnxruntime computes from it with PyTorch.

CHECKPOINT is a plain network's, an exported student's or a whole distillation's. Of a detector, the file holds what
comes before its post-processing: a one-stage detector's head on every level, a two-stage detector's pyramid and RPN.
"""

import os.path as osp

from mmengine.registry import MODELS

import topkd  # noqa: F401
from topkd.analysis.networks.images import ImageSize, prepared, size_in
from topkd.cli import count, keep_inputs, load_config, parser, path, tool
from topkd.deployment.onnx_file import EXPORTERS, export_onnx
from topkd.launch import setup_processes
from topkd.utils.checkpoint import load_state, load_weights
from topkd.utils.config import with_preprocessor
from topkd.utils.student_export import plain_config
from topkd.utils.student_state import plain_state


@tool
def main() -> None:
    arguments = parser(__doc__, distributed=False)
    arguments.add_argument('checkpoint', help='checkpoint file')
    arguments.add_argument('--member', help='name of the member, if CONFIG is a cohort')
    arguments.add_argument('--out', type=path, help='file to write (default: CHECKPOINT with .onnx for its ending)')
    arguments.add_argument(
        '--pixels',
        action='store_true',
        help='take pixels 0..255 in RGB and normalize them in the file, as the data preprocessor of CONFIG does; '
        'otherwise the file takes normalized images',
    )
    arguments.add_argument(
        '--shape', type=count, nargs=2, metavar=('H', 'W'), help="size of the images (default: the test set's first)"
    )
    arguments.add_argument('--batch-size', type=count, help='images of a batch (default: any number)')
    arguments.add_argument(
        '--exporter', choices=EXPORTERS, default='torchscript', help="PyTorch's exporter (default: %(default)s)"
    )
    arguments.add_argument(
        '--tolerance',
        type=float,
        default=1e-4,
        help='greatest difference, as a part of the greatest value of its output (default: %(default)s)',
    )
    args = arguments.parse_args()
    cfg = plain_config(load_config(args), args.member)
    setup_processes(cfg)
    model = MODELS.build(with_preprocessor(cfg.model, cfg))
    load_weights(model, args.checkpoint, weights=plain_state(load_state(args.checkpoint), args.member))
    size = ImageSize(*args.shape) if args.shape else size_in(cfg)
    size = ImageSize(*prepared(model, size, 1)['inputs'].shape[-2:])  # as the data preprocessor pads it
    out = args.out or f'{osp.splitext(args.checkpoint)[0]}.onnx'
    keep_inputs(out, args.config, args.checkpoint)
    found = export_onnx(
        model, size, out, pixels=args.pixels, count=args.batch_size, exporter=args.exporter, tolerance=args.tolerance
    )
    shown = f'{", ".join(found.names)} of {"pixels" if args.pixels else "normalized images"}'
    print(f'{out}: {shown} {args.batch_size or "N"} x 3 x {size.height} x {size.width}')
    print(
        f'onnxruntime beside PyTorch on batches of {", ".join(map(str, found.counts))}: greatest difference '
        f'{found.difference:.3g}, {found.relative:.3g} of its output'
    )


if __name__ == '__main__':
    main()
