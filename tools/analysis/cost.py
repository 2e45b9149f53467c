#!/usr/bin/env python3
"""What an image costs by RipsNet, exactly, and by gudhi as the paper did it (Table 13).

python tools/analysis/cost.py                            # the paper's two sizes
python tools/analysis/cost.py --points 8 --width 256     # another size
python tools/analysis/cost.py CONFIG                     # the clouds of a distillation config
"""

import argparse
import os
import os.path as osp
from typing import Any

import torch
from mmengine.device import get_device

import topkd  # noqa: F401
from topkd.analysis.cloud_size import cloud_size
from topkd.analysis.cost.chart import plot_costs
from topkd.analysis.cost.measure import PAPER_SIZES, TRAINING_BATCH, CloudSize, measure_cost, scaled
from topkd.analysis.cost.record import write_costs
from topkd.analysis.cost.route_times import device_name
from topkd.cli import Options, Parser, origin, tool
from topkd.launch import setup_processes
from topkd.models.losses.topology_configs import unloaded_loss
from topkd.utils.config import merge_cfg_options, read_config

LEGEND = (
    '\noperations: a multiplication and an addition are two, biases and activations are not counted.\n'
    'paper: gudhi on an AMD Epyc 7742, RipsNet trained on an A100.'
)


def parse() -> argparse.Namespace:
    result = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    result.add_argument('config', nargs='?', help='distillation config whose clouds are measured')
    result.add_argument('--points', type=int, help='points of a cloud')
    result.add_argument('--width', type=int, help='width of the points')
    result.add_argument(
        '--loss', default='topology', help='name of the topology loss in model.losses (default: %(default)s)'
    )
    result.add_argument('--batch-sizes', type=int, nargs='+', default=[1, 64], help='clouds of a call (default: 1 64)')
    result.add_argument(
        '--repeats', type=int, default=7, help='turns that count; the table shows medians (default: %(default)s)'
    )
    result.add_argument(
        '--device', default=get_device(), help='where RipsNet and exact images run (default: %(default)s)'
    )
    result.add_argument(
        '--cfg-options', nargs='+', action=Options, default=None, help='entries of the config to override'
    )
    result.add_argument(
        '--out', default='work_dirs/cost', help='folder for cost.json and cost.png (default: %(default)s)'
    )
    return result.parse_args()


def sizes(args: argparse.Namespace) -> tuple:
    """Return the sizes to measure and the homology dimensions of the images."""
    if (args.points is None) != (args.width is None) or (args.config and args.points is not None):
        raise ValueError(
            'the size of clouds is told by a config, or by --points and --width together, or by neither for the two of '
            'the paper'
        )
    if min(args.points or 2, *args.batch_sizes, args.repeats, args.width or 1) < 1 or args.points == 1:
        raise ValueError('--points must be 2 or more, --width, --batch-sizes and --repeats 1 or more')
    if args.points is not None:
        return [CloudSize('clouds', args.points, args.width)], (0,)
    if args.config is None:
        return list(PAPER_SIZES), (0,)
    cfg = merge_cfg_options(read_config(args.config), args.cfg_options)
    setup_processes(cfg)
    dims = unloaded_loss(cfg, args.loss).homology_dims
    name = osp.splitext(osp.basename(args.config))[0]
    return [CloudSize(name, *cloud_size(cfg, args.loss))], tuple(dims)


def show(cost: dict[str, Any]) -> None:
    """Print the block of one size."""
    size, paper = cost['size'], cost['size']['paper']
    counts = list(cost['ms']['RipsNet'])
    rows: list[list[str]] = [
        ['', 'paper', 'ours'],
        ['RipsNet, operations an image', scaled(paper['flops']) if paper else '-', scaled(cost['flops'])],
        ['RipsNet, parameters', '-', f'{cost["parameters"]:,}'],
    ]
    for route, times in cost['ms'].items():
        for count in counts:
            known = f'{paper["gudhi_ms"]:.2f}' if paper and route.startswith('gudhi') and count == counts[0] else '-'
            rows.append([f'{route}, ms an image, {count} a call', known, f'{times[count]:.3g}'])
    rows.append([f'RipsNet, training step of {TRAINING_BATCH} clouds, ms', '-', f'{cost["training_step_ms"]:.3g}'])
    rows.append(['RipsNet, whole training, minutes', f'{paper["training_min"]:.2f}' if paper else '-', '-'])
    print(
        f'\n{size["name"]}: clouds of {size["num_points"]} points of width {size["width"]}, homology '
        f'{"+".join(map(str, cost["homology_dims"]))}, units {", ".join(map(str, cost["units"]))}'
    )
    for row in rows:
        print(f'{row[0]:<48}{row[1]:>12}{row[2]:>12}')


@tool
def main() -> None:
    args = parse()
    chosen, dims = sizes(args)
    device = device_name(args.device)
    costs = [measure_cost(size, args.batch_sizes, args.repeats, args.device, dims) for size in chosen]
    print(f'device: {device}, {torch.get_num_threads()} threads; medians of {args.repeats} turns')
    for cost in costs:
        show(cost)
    print(LEGEND)
    os.makedirs(args.out, exist_ok=True)
    data, figure = (
        write_costs(args.out, origin(args, seed=0), device, args.repeats, costs),
        osp.join(args.out, 'cost.png'),
    )
    plot_costs(costs, figure)
    print(f'written to {data} and {figure}')


if __name__ == '__main__':
    main()
