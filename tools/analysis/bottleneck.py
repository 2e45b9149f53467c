#!/usr/bin/env python3
"""Bottleneck distance between the persistence diagrams of teacher and students (Table 20).

The paper does not say which clouds it compares. Here they are clouds of random images of the split, of the topology
loss's size and taps, not projected; and, since networks differ in scale, once more with every cloud divided by its mean
distance (scale-free).
"""

import os.path as osp

import topkd  # noqa: F401
from topkd.analysis.bottleneck.diagrams import SCALES, collect_diagrams
from topkd.analysis.bottleneck.distances import Distances, distances_to_teacher
from topkd.analysis.bottleneck.plot import plot_bottleneck
from topkd.analysis.bottleneck.record import write_distances
from topkd.analysis.trained_students import TrainedStudents
from topkd.cli import analysis_folder, analysis_parser, load_config, named_paths, origin, seed, tool
from topkd.launch import setup_processes
from topkd.utils.statistics import cell


def table(distances: list[Distances]) -> str:
    """Format mean, standard deviation and the share at the cap, one row a network and dimension."""
    lines = [
        f'{"network":<24}{"dimension":>10}{"clouds":>8}{"distance":>20}{"at cap":>8}{"scale-free":>20}{"at cap":>8}'
    ]
    for row in distances:
        if row.scale == SCALES[0]:
            twin = next(other for other in distances if other[:2] == row[:2] and other.scale == SCALES[1])
            line = f'{row.network:<24}{row.homology_dim:>10}{len(row.values):>8}'
            for part in (row.plain(), twin.plain()):
                line += f'{cell(part["mean"], part["std"], 4):>20}{part["at_cap"]:>8.0%}'
            lines.append(line)
    return '\n'.join(lines)


@tool
def main() -> None:
    parser = analysis_parser(__doc__)
    parser.add_argument('--homology-dims', type=int, nargs='+', help="each reported for itself (default: the loss's)")
    parser.add_argument('--seed', type=seed, default=0, help='of the order of the images (default: %(default)s)')
    args = parser.parse_args()
    checkpoints = named_paths(args.checkpoints, osp.isfile, 'checkpoint')
    cfg = load_config(args)
    setup_processes(cfg)
    trained = TrainedStudents.load(cfg, checkpoints, args.loss)
    dims = args.homology_dims or trained.loss.homology_dims
    diagrams = collect_diagrams(trained, trained.loader(args.split, args.seed), dims, args.batches)
    distances = distances_to_teacher(diagrams)
    print(table(distances))
    print(
        f'\nmean ± standard deviation over clouds of random images of the {args.split} split; exact distances\n'
        "'teacher, other images': between the teacher's own diagrams of different images\n"
        'at cap: share of clouds whose distance is half the greatest persistence of the two diagrams, the most it can '
        'be;\n'
        "where that persistence is the teacher's, a distance at the cap does not depend on the student's diagram"
    )

    folder = analysis_folder(args, cfg)
    source = origin(args, 'config', 'split', 'seed', checkpoints=checkpoints)
    data, figure = (
        write_distances(folder, source, trained.loss.request(), distances),
        osp.join(folder, 'bottleneck.png'),
    )
    plot_bottleneck(diagrams, distances, figure)
    print(f'{data}\n{figure}')


if __name__ == '__main__':
    main()
