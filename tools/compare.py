#!/usr/bin/env python3
r"""Compare networks: parameters, FLOPs, memory, latency and accuracy, in one table and one picture.

python tools/compare.py \\
    teacher=configs/baselines/resnet56_cifar100.py:checkpoints/resnet56_cifar100.pth \\
    student=configs/baselines/resnet20_cifar100.py:student.pth

A network without a checkpoint is measured with random weights, and has no accuracy. CONFIG is a plain network's or a
distillation's, whose student is measured; CONFIG@MEMBER is the student of a cohort's member.
"""

import argparse
import os
import os.path as osp
import re
from typing import Any, NamedTuple

os.environ.setdefault('KINETO_LOG_LEVEL', '99')  # before torch: its profiler, which measures memory, writes stages
import torch
from mmengine.logging import MMLogger
from mmengine.registry import MODELS
from mmengine.runner import Runner

import topkd  # noqa: F401
from topkd.analysis.cost.route_times import device_name
from topkd.analysis.networks.compare import Network, compare
from topkd.analysis.networks.images import ImageSize, is_detector, size_in
from topkd.analysis.networks.plot import plot_networks
from topkd.analysis.networks.table import aligned, table
from topkd.analysis.record_file import write_record
from topkd.cli import Options, Parser, count, origin, tool
from topkd.launch import setup_processes
from topkd.utils.checkpoint import load_state, load_weights
from topkd.utils.config import FormattedOnce, merge_cfg_options, read_config, with_preprocessor
from topkd.utils.student_export import plain_config
from topkd.utils.student_state import plain_state

# what the picture shows, the first that was measured
SHOWN = ('accuracy/top1', 'coco/bbox_mAP')
LEGEND = (
    'a multiplication and an addition are two FLOPs; memory is the peak besides weights and images; '
    'ms: median (least-greatest)'
)
NETWORK = re.compile(r'(?:(?P<name>[^=:/]+)=)?(?P<config>.+?\.py)(?:@(?P<member>[^:@]+))?(?::(?P<checkpoint>.+))?')


def arguments() -> argparse.Namespace:
    """Read the command line."""
    result = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument(
        'networks',
        nargs='+',
        metavar='NAME=CONFIG[@MEMBER][:CHECKPOINT]',
        help='plain configs, or the students of distillations and of members of cohorts',
    )
    result.add_argument(
        '--device',
        nargs='+',
        default=['cpu', *(['cuda'] if torch.cuda.is_available() else [])],
        help='where to measure latency and memory (default: cpu, and cuda if there is one)',
    )
    result.add_argument(
        '--batch-sizes', type=count, nargs='+', help='images of a prediction (default: 1 64, of detectors 1)'
    )
    result.add_argument(
        '--shape', type=count, nargs=2, metavar=('H', 'W'), help="size of the images (default: the test set's first)"
    )
    result.add_argument('--no-accuracy', action='store_true', help='do not evaluate the checkpoints')
    result.add_argument('--repeats', type=count, default=7, help='turns that count (default: %(default)s)')
    result.add_argument('--cfg-options', nargs='+', action=Options, help='entries to override in all configs')
    result.add_argument('--out', default='work_dirs/compare', help='folder of table and picture (default: %(default)s)')
    return result.parse_args()


class Place(NamedTuple):
    """Where a network is found: config, member of a cohort, checkpoint."""

    config: str
    member: str | None
    checkpoint: str | None


def parse(words: list[str]) -> dict[str, Place]:
    """Read the networks' arguments by name."""
    result: dict[str, Place] = {}
    for word in words:
        match = NETWORK.fullmatch(word)
        if match is None:
            raise ValueError(f"a network is NAME=CONFIG.py or NAME=CONFIG.py:CHECKPOINT, got '{word}'")
        name = match['name'] or match['member'] or osp.splitext(osp.basename(match['config']))[0]
        if name in result:
            raise ValueError(f"two networks are named '{name}', each needs a name of its own: give NAME=CONFIG")
        result[name] = Place(match['config'], match['member'], match['checkpoint'])
    return result


def network(name: str, place: Place, args: argparse.Namespace) -> Network:
    """Build a network, load its weights and evaluate them."""
    cfg = merge_cfg_options(read_config(place.config), args.cfg_options)
    members = list(cfg.model.get('members', {}))
    if members and place.member not in members or place.member and not members:
        what = f'a cohort of the members {", ".join(members)}' if members else 'no cohort'
        raise ValueError(
            f"{name}: '{place.config}' is {what}, got {f'@{place.member}' if place.member else 'no member'}: "
            f'write NAME=CONFIG.py{"@MEMBER" if members else ""}:CHECKPOINT'
        )
    plain_config(cfg, place.member)
    cfg.launcher, cfg.work_dir, cfg.log_level = 'none', osp.join(args.out, name), 'ERROR'
    setup_processes(cfg)
    metrics: dict[str, float] = {}
    weights = None if place.checkpoint is None else plain_state(load_state(place.checkpoint), place.member)
    if weights is not None and not args.no_accuracy:
        runner = Runner.from_cfg(FormattedOnce(cfg))
        model = runner.model
        load_weights(model, place.checkpoint, name, weights)
        metrics = {key: float(value) for key, value in runner.test().items()}
    else:
        model = MODELS.build(with_preprocessor(cfg.model, cfg))
        model.init_weights()
        if weights is not None:
            load_weights(model, place.checkpoint, name, weights)
    size = ImageSize(*args.shape) if args.shape else size_in(cfg)
    return Network(name, model, size, metrics)


@tool
def main() -> None:
    args = arguments()
    wanted = parse(args.networks)
    MMLogger.get_instance('compare', log_level='ERROR')  # a network without a checkpoint tells how it is initialized
    devices = {device: device_name(device) for device in args.device}
    networks = [network(name, place, args) for name, place in wanted.items()]
    sizes = args.batch_sizes or ([1] if any(is_detector(one.model) for one in networks) else [1, 64])
    rows: list[dict[str, Any]] = compare(networks, args.device, sizes, args.repeats)
    os.makedirs(args.out, exist_ok=True)
    print(aligned(table(rows)))
    where = '; '.join(f'{name}: {what}' for name, what in devices.items())
    print(f'\n{where}; {torch.get_num_threads()} threads; {LEGEND}, {args.repeats} turns')
    written = [
        write_record(args.out, 'compare', origin(args, devices=devices, repeats=args.repeats), dict(networks=rows))
    ]
    shown = next((metric for metric in SHOWN if any(metric in row['metrics'] for row in rows)), None)
    if shown is not None:
        written.append(osp.join(args.out, 'compare.png'))
        plot_networks(rows, shown, written[-1])
    print(f'written to {" and ".join(written)}')


if __name__ == '__main__':
    main()
