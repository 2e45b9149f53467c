#!/usr/bin/env python3
"""Exact and approximated persistence images of teacher and students on the same clouds (Figs. 4, 7 and 8).

If the widths of the two networks differ, a student's image needs the projection that was trained with it, which only
the whole checkpoint of a distillation with a topology loss holds.
"""

import argparse
import os.path as osp

from mmengine.config import Config

import topkd  # noqa: F401
from topkd.analysis.images.network_figure import network_figure
from topkd.analysis.images.network_images import NetworkImages, image_figures, network_images
from topkd.analysis.images.record import write_images
from topkd.analysis.images.vectorizers import load_spec, vectorizers_of
from topkd.analysis.style import save_figure
from topkd.analysis.trained_students import TEACHER, TrainedStudents
from topkd.cli import analysis_folder, analysis_parser, load_config, named_paths, origin, seed, tool
from topkd.launch import setup_processes
from topkd.models import RipsImage
from topkd.models.losses.topology_configs import topology_config

COLUMNS = dict(mse='MSE', l2='L2', teacher_exact='to teacher', teacher_approximated='by RipsNet', outside='outside')

LEGEND = (
    '\nMSE, L2: between exact and approximated images, mean over pixels and clouds, mean norm over clouds;\n'
    "to teacher, by RipsNet: mean squared error against the teacher's exact and approximated images;\n"
    'outside: deaths that exact images cannot see.'
)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = analysis_parser(__doc__)
    parser.add_argument('--clouds', type=int, default=3, help='clouds to draw, one PNG each (default: %(default)s)')
    parser.add_argument(
        '--ripsnet', help="RipsNet file to judge; default: the config's, of a config with exact images none"
    )
    parser.add_argument('--seed', type=seed, default=0, help='of the order of the images (default: %(default)s)')
    return parser.parse_args()


def read(args: argparse.Namespace) -> Config:
    """Read the config, and let its topology loss use the RipsNet of the command line, if there is one."""
    cfg = load_config(args)
    loss = topology_config(cfg, args.loss)
    if args.ripsnet:
        kept = {
            key: value for key, value in loss.get('vectorizer', {}).items() if key in ('homology_dims', 'resolution')
        }
        loss.distance, loss.vectorizer = 'images', dict(kept, type='RipsNet', checkpoint=args.ripsnet)
    return cfg


def table(figures: dict[str, dict[str, float]]) -> str:
    """Format the figures, one row a network."""
    shown = [key for key in COLUMNS if key in figures[TEACHER]]
    lines: list[str] = [f'{"clouds of":<22}{"clouds":>8}' + ''.join(f'{COLUMNS[key]:>13}' for key in shown)]
    for name, row in figures.items():
        cells = [f'{row[key]:>13.1%}' if key == 'outside' else f'{row[key]:>13.6f}' for key in shown]
        lines.append(f'{name:<22}{row["clouds"]:>8}' + ''.join(cells))
    return '\n'.join(lines)


def draw(
    images: dict[str, NetworkImages], exact: RipsImage, args: argparse.Namespace, points: int, folder: str
) -> list[str]:
    """Draw the first clouds and return the files."""
    paths = []
    for cloud in range(min(args.clouds, len(images[TEACHER].exact))):
        paths.append(osp.join(folder, f'images_cloud{cloud + 1}.png'))
        figure = network_figure(
            images,
            cloud,
            exact.imager.im_range.tolist(),
            exact.resolution,
            f'cloud {cloud + 1}: {points} points of the {args.split} split',
        )
        save_figure(figure, paths[-1])
    return paths


@tool
def main() -> None:
    args = arguments()
    if args.clouds < 1:
        raise ValueError(f'--clouds must be 1 or more, got {args.clouds}')
    checkpoints, cfg = named_paths(args.checkpoints, osp.isfile, 'checkpoint'), read(args)
    setup_processes(cfg)
    trained = TrainedStudents.load(cfg, checkpoints, args.loss, project=True)
    exact, approximate = vectorizers_of(trained.loss)
    fitted, training = bool(exact.imager.fitted), load_spec(exact, args.loss, checkpoints)
    images = network_images(trained, trained.loader(args.split, args.seed), exact, approximate, args.batches)
    source = f"of the training of '{training}'" if training else "fitted on these clouds of the teacher's"
    if fitted:
        source = 'of the RipsNet file' if approximate is not None else 'of the config'
    figures = {name: image_figures(network, images[TEACHER]) for name, network in images.items()}
    print(table(figures))
    print(f'{LEGEND}\nspec of the images: {source}')
    folder = analysis_folder(args, cfg)
    paths = draw(images, exact, args, trained.loss.cloud.num_points, folder)
    made_from = origin(args, 'config', 'split', 'seed', 'ripsnet', checkpoints=checkpoints)
    print('\n'.join([write_images(folder, made_from, figures, exact.imager.spec(), source), *paths]))


if __name__ == '__main__':
    main()
