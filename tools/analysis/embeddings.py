#!/usr/bin/env python3
"""Embeddings of teacher and students in the plane, and how well they separate classes (Fig. 5, Table 21).

The embeddings are the features at the topology loss's taps (the classifier's input), not projected. The paper's scores
are those of UMAP's plane; those in the space of the embeddings need no UMAP and have no seed.
"""

import argparse
import os.path as osp
import sys

import numpy as np

import topkd  # noqa: F401
from topkd.analysis.embeddings.cluster_scores import (
    SCORES,
    ClusterStudy,
    Place,
    draw_classes,
    study_clusters,
    summarize_study,
)
from topkd.analysis.embeddings.collect import class_names, collect_embeddings
from topkd.analysis.embeddings.planes import principal_plane, umap_class, umap_plane
from topkd.analysis.embeddings.plot import plot_embeddings
from topkd.analysis.embeddings.record import write_scores
from topkd.analysis.trained_students import TrainedStudents
from topkd.cli import analysis_folder, analysis_parser, load_config, named_paths, origin, seed, tool
from topkd.launch import setup_processes
from topkd.utils.statistics import cell

HEADINGS = dict(umap='in the plane of UMAP', features='in the space of the embeddings')


def spaces_of(args: argparse.Namespace) -> dict[str, Place]:
    """Return the spaces to score in; where UMAP is missing, say so before anything is computed."""
    spaces: dict[str, Place] = {}
    if 'umap' in args.space:
        try:
            umap_class()
        except ModuleNotFoundError as error:
            raise ValueError(error.msg) from error
        spaces['umap'] = lambda points, draw: umap_plane(points, args.seed + draw, args.neighbors, args.min_dist)
    if 'features' in args.space:
        spaces['features'] = lambda points, draw: points
    return spaces


def table(summary: dict[str, dict[str, dict]]) -> str:
    """Format the scores, one table a space, one row a network."""
    lines: list[str] = []
    for space, networks in summary.items():
        lines += [f'{HEADINGS[space]:<34}{"silhouette":>18}{"Calinski-Harabasz":>22}{"Davies-Bouldin":>18}']
        for name, scores in networks.items():
            cells = [cell(scores[score]['mean'], scores[score]['std']) for score in SCORES]
            lines.append(f'{name:<34}{cells[0]:>18}{cells[1]:>22}{cells[2]:>18}')
        lines.append('')
    return '\n'.join(lines)


def draw_first(study: ClusterStudy, labels: np.ndarray, names: dict[int, str], space: str, path: str) -> None:
    """Draw the first draw's images where they were scored, or by principal components where that is no plane."""
    planes = study.first[space]
    if space == 'features':
        planes = {name: principal_plane(points) for name, points in planes.items()}
    notes = {name: f'silhouette {scores[0]["silhouette"]:.3f}' for name, scores in study.scores[space].items()}
    plot_embeddings(planes, labels, names, path, 'UMAP' if space == 'umap' else 'principal component', notes)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = analysis_parser(__doc__)
    parser.add_argument('--draws', type=int, default=10, help='draws of classes (default: %(default)s)')
    parser.add_argument('--classes', type=int, default=10, help='classes of a draw (default: %(default)s)')
    parser.add_argument('--seed', type=seed, default=0, help='of the draws and of UMAP (default: %(default)s)')
    parser.add_argument(
        '--space',
        nargs='+',
        choices=['umap', 'features'],
        default=['umap', 'features'],
        help='where distances are measured (default: both)',
    )
    parser.add_argument('--neighbors', type=int, default=15, help="UMAP's n_neighbors (default: %(default)s)")
    parser.add_argument('--min-dist', type=float, default=0.1, help="UMAP's min_dist (default: %(default)s)")
    return parser.parse_args()


@tool
def main() -> None:
    args = arguments()
    checkpoints, spaces = named_paths(args.checkpoints, osp.isfile, 'checkpoint'), spaces_of(args)
    cfg = load_config(args)
    setup_processes(cfg)
    trained = TrainedStudents.load(cfg, checkpoints, args.loss)
    loader = trained.image_loader(args.split)
    embeddings = collect_embeddings(trained, loader, args.batches)
    names = class_names(loader.dataset, embeddings.labels)
    drawn = draw_classes(embeddings.labels, args.classes, args.draws, args.seed)
    study = study_clusters(embeddings, drawn, spaces, lambda text: print(text, file=sys.stderr, flush=True))
    summary = summarize_study(study)
    print(table(summary))
    print(
        f'mean ± standard deviation over {args.draws} draws of {args.classes} classes, {len(embeddings.labels)} images '
        f'of the {args.split} split'
    )

    folder = analysis_folder(args, cfg)
    source = origin(args, 'config', 'split', 'seed', 'neighbors', 'min_dist', checkpoints=checkpoints)
    words = [[names[number] for number in classes.tolist()] for classes in drawn]
    data = write_scores(folder, source, len(embeddings.labels), words, summary)
    figure = osp.join(folder, 'embeddings.png')
    shown = embeddings.labels[np.isin(embeddings.labels, drawn[0])]
    draw_first(study, shown, names, next(iter(spaces)), figure)
    print(f'{data}\n{figure}')


if __name__ == '__main__':
    main()
