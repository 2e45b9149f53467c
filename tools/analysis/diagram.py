#!/usr/bin/env python3
"""Persistence diagram, barcode and persistence image of any point cloud (Fig. 6).

SOURCE is a file of points: .npy or .npz with an array (n, d) or (B, n, d), .csv or .txt with one point a row. Or it is
a distillation config: then a cloud of random images is shown as the teacher and, with --checkpoint, its students see
it, not projected.
"""

import argparse
import os
import os.path as osp

import numpy as np
import torch
from torch import Tensor

import topkd  # noqa: F401
from topkd.analysis.diagram.cloud_topology import CloudTopology, cloud_topology, spec_of_file, summarize_diagram
from topkd.analysis.diagram.plot import plot_diagrams
from topkd.analysis.diagram.record import write_diagrams
from topkd.analysis.trained_students import TEACHER, TrainedStudents
from topkd.cli import Options, Parser, named_paths, origin, seed, tool
from topkd.datasets.point_file import read_points
from topkd.launch import setup_processes
from topkd.utils.config import merge_cfg_options, read_config

MAX_POINTS = 2048  # a distance matrix of this size is 32 MB, its diagrams of dimension 0 and 1 take some seconds


def is_config(source: str) -> bool:
    """Return whether SOURCE is a config instead of a file of points."""
    return source.endswith('.py') or '::' in source


def read_source(args: argparse.Namespace) -> dict[str, Tensor]:
    """Return the clouds (n, d) that SOURCE names, by name."""
    if not is_config(args.source):
        if args.checkpoint:
            raise ValueError('--checkpoint needs a config as SOURCE, which says what network it belongs to')
        if args.cfg_options:
            raise ValueError('--cfg-options needs a config as SOURCE, a file of points has no entries: leave it out')
        return {osp.basename(args.source): torch.from_numpy(read_points(args.source, args.index, args.key))}
    cfg = merge_cfg_options(read_config(args.source), args.cfg_options)
    setup_processes(cfg)
    trained = TrainedStudents.load(cfg, named_paths(args.checkpoint, osp.isfile, 'checkpoint'), args.loss)
    clouds = next(trained.clouds(trained.loader(args.split, args.seed)), None)
    if clouds is None:
        raise ValueError(f'the {args.split} split has too few images for one cloud: lower num_points of the cloud')
    count = len(clouds[TEACHER])
    if not 0 <= (args.index or 0) < count:
        raise ValueError(f'a batch makes {count} clouds, --index must be 0 to {count - 1}, got {args.index}')
    return {name: cloud[args.index or 0].cpu() for name, cloud in clouds.items()}


def subset(clouds: dict[str, Tensor], points: int | None, seed: int) -> dict[str, Tensor]:
    """Keep some random points of every cloud, the same ones of each.

    Raises:
        ValueError: If there are more points than can be computed with, or fewer than asked for.
    """
    count = len(next(iter(clouds.values())))
    if points is None and count > MAX_POINTS:
        raise ValueError(
            f'the cloud has {count} points, too many for its diagram (limit {MAX_POINTS}): take a random part of them '
            f'by --points {MAX_POINTS // 2}'
        )
    if points is None:
        return clouds
    if not 2 <= points <= min(count, MAX_POINTS):
        raise ValueError(f'--points must be 2 to {min(count, MAX_POINTS)}, got {points}')
    kept = np.sort(np.random.default_rng(seed).choice(count, points, replace=False))
    return {name: cloud[torch.from_numpy(kept)] for name, cloud in clouds.items()}


def table(topology: dict[str, CloudTopology]) -> str:
    """Format the summary of each diagram, one row a cloud and dimension."""
    lines = [
        f'{"cloud":<24}{"dimension":>10}{"classes":>9}{"births":>26}{"deaths":>26}{"persistence: max":>18}{"total":>12}'
    ]
    for name, cloud in topology.items():
        for dim, diagram in cloud.diagrams.items():
            row = summarize_diagram(diagram)
            line = f'{name:<24}{dim:>10}{row["classes"]:>9}'
            if row['classes']:
                ranges = [f'{low:.4g} to {high:.4g}' for low, high in (row['births'], row['deaths'])]
                line += f'{ranges[0]:>26}{ranges[1]:>26}'
                line += f'{row["greatest_persistence"]:>18.4g}{row["total_persistence"]:>12.4g}'
            lines.append(line)
    return '\n'.join(lines)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', metavar='SOURCE', help='file of points, or config')
    parser.add_argument('--homology-dims', type=int, nargs='+', help="default: 0 1, or those of --spec's file")
    parser.add_argument(
        '--spec', help="RipsNet file whose images' spec is used (default: fitted on the diagrams shown)"
    )
    parser.add_argument('--index', type=int, help='number of the cloud, from 0, where there are several')
    parser.add_argument('--key', help='array of a .npz file that holds several')
    parser.add_argument('--points', type=int, help='keep so many random points (default: all)')
    parser.add_argument('--seed', type=seed, default=0, help='of the choice of points or images (default: %(default)s)')
    parser.add_argument(
        '--checkpoint', nargs='+', default=[], metavar='NAME=CHECKPOINT', help='with a config: trained students'
    )
    parser.add_argument(
        '--loss', default='topology', help='with a config: name of the topology loss (default: %(default)s)'
    )
    parser.add_argument(
        '--split', choices=['train', 'test'], default='test', help='with a config: whose images (default: test)'
    )
    parser.add_argument('--cfg-options', nargs='+', action=Options, help='with a config: entries to override')
    parser.add_argument(
        '--out', default=osp.join('work_dirs', 'analysis'), help='folder for table and figure (default: %(default)s)'
    )
    return parser.parse_args()


@tool
def main() -> None:
    args = arguments()
    spec, dims = spec_of_file(args.spec, args.homology_dims) if args.spec else (None, args.homology_dims or (0, 1))
    clouds = subset(read_source(args), args.points, args.seed)
    topology, spec = cloud_topology(clouds, dims, spec)
    print(table(topology))

    os.makedirs(args.out, exist_ok=True)
    data = write_diagrams(args.out, origin(args, 'source', 'seed'), topology, spec)
    figure = osp.join(args.out, 'diagram.png')
    plot_diagrams(topology, spec, figure, 'feature distance' if is_config(args.source) else 'distance')
    print(f'{data}\n{figure}')


if __name__ == '__main__':
    main()
