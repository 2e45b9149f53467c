#!/usr/bin/env python3
"""The whole method on scikit-learn's digits: teacher, clouds and images, RipsNet, students, a table and a picture."""

import argparse
import logging
import os
import os.path as osp
import time
from statistics import mean, stdev

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

import topkd  # noqa: F401
from topkd.analysis.images.comparison import plot_image_comparison
from topkd.cli import tool
from topkd.datasets.clouds import CloudImages
from topkd.launch import prepare_training, setup_processes
from topkd.models import RipsNet
from topkd.models.vectorizers import OPERATORS
from topkd.reproduction.side_by_side import side_by_side, train, train_ripsnet
from topkd.runners.persistence_image_runner import PersistenceImageRunner
from topkd.runners.ripsnet_runner import RipsNetRunner
from topkd.utils.config import merge_cfg_options

CONFIGS = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'configs')
STUDENTS = ('plain', 'KD', 'TopKD')
PAIR = 'topkd/resnet20-resnet8_digits.py'
BEGIN = time.time()


def say(text: str) -> None:
    """Print a line of progress with the time since the start."""
    print(f'[{time.time() - BEGIN:5.0f} s] {text}', flush=True)


def read_config(name: str, work_dir: str, seed: int, quick: bool) -> Config:
    """Read one of the digits configs and set where and from which seed it runs."""
    cfg = merge_cfg_options(Config.fromfile(osp.join(CONFIGS, name)), None)
    cfg.work_dir, cfg.randomness, cfg.launcher = work_dir, dict(seed=seed), 'none'
    cfg.log_level = 'ERROR'  # one line a run is printed here instead
    cfg.experiment_name = osp.relpath(work_dir).replace(osp.sep, '_') + f'_{time.time_ns()}'
    if quick:
        cfg.merge_from_dict({'train_cfg.max_epochs': 2, 'clouds': dict(num_clouds=64), 'ripsnet': dict(max_epochs=4)})
    return cfg


def cohort(folder: str, seed: int, quick: bool, options: dict) -> dict:
    """Return the config that trains all students of one seed side by side, on the same batches."""
    cfg = read_config(PAIR, folder, seed, quick)
    cfg.merge_from_dict(options)
    content = cfg.to_dict()
    losses, student = content['model']['losses'], content['model']['student']
    chosen = dict(plain={}, KD=dict(kd=losses['kd']), TopKD=losses)
    members = {name: dict(student=student, losses=chosen[name]) for name in STUDENTS}
    content['model'] = dict(type='topkd.Cohort', teacher=content['model']['teacher'], members=members)
    result = Config(content)
    prepare_training(result)
    return result.to_dict()


def picture(folder: str, path: str) -> float:
    """Draw exact and approximated images of held-out teacher's clouds.

    Returns:
        float: Mean squared error of RipsNet over all held-out clouds.
    """
    clouds = CloudImages(folder, 'val')
    ripsnet = RipsNet(checkpoint=osp.join(folder, 'ripsnet.pth')).eval()
    batch = clouds.__getitems__(range(len(clouds)))
    with torch.no_grad():
        approximated = ripsnet(batch['points'])
    error = torch.nn.functional.mse_loss(approximated, batch['images']).item()
    shown = range(min(4, len(clouds)))
    plot_image_comparison(
        batch['images'][: len(shown)],
        approximated[: len(shown)],
        [f'held-out cloud {i + 1}' for i in shown],
        path,
        ripsnet.spec['im_range'],
        ripsnet.resolution,
        f"Persistence images of the teacher's clouds (64 digits each), MSE of RipsNet {error:.4f}",
    )
    return error


def table(teacher: dict, runs: dict) -> str:
    """Format accuracies as the closing table."""
    lines = [f'{"network":<22}{"last top-1":>18}{"best top-1":>18}', '-' * 58]
    key = 'accuracy/top1'
    lines.append(f'{"teacher ResNet20":<22}{teacher["last"][key]:>18.2f}{teacher["best"][key]:>18.2f}')
    for name, results in runs.items():
        cells = []
        for which in ('last', 'best'):
            values = [result[which][key] for result in results]
            spread = f' ± {stdev(values):.2f}' if len(values) > 1 else ''
            cells.append(f'{mean(values):.2f}{spread}')
        lines.append(f'{name + " student ResNet8":<22}{cells[0]:>18}{cells[1]:>18}')
    return '\n'.join(lines)


@tool(go_on='the same command goes on where it stopped')
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3, help='runs of each student (default: 3)')
    parser.add_argument(
        '--work-dir', default='work_dirs/digits', help='folder for everything (default: work_dirs/digits)'
    )
    parser.add_argument('--jobs', type=int, help='processes side by side (default: 2 where there are two cores)')
    parser.add_argument('--quick', action='store_true', help='a few steps of everything, to see that it runs')
    args = parser.parse_args()
    logging.getLogger('mmengine').setLevel(logging.ERROR)
    torch.set_num_threads(1)  # on images of 8 x 8 pixels a second thread costs more than it saves

    jobs = args.jobs or min(2, os.cpu_count() or 1)
    say(f'{jobs} processes; 2 to 3 minutes on two cores, most of it RipsNet and the students')
    say('teacher: ResNet20 on 1,438 digits')
    teacher_cfg = read_config('baselines/resnet20_digits.py', osp.join(args.work_dir, 'teacher'), 0, args.quick)
    teacher = train(teacher_cfg.to_dict())
    say(f'teacher: {teacher["last"]["accuracy/top1"]:.2f} % of the test digits')

    cfg = read_config(PAIR, osp.join(args.work_dir, 'clouds'), 0, args.quick)
    folder = osp.join(args.work_dir, 'ripsnet')
    options = {
        'model.teacher.checkpoint': osp.join(teacher_cfg.work_dir, f'epoch_{teacher["last"]["epoch"]}.pth'),
        'model.losses.topology.vectorizer.checkpoint': osp.join(folder, 'ripsnet.pth'),
    }
    if args.quick:
        options['model.teacher.floor'] = None
    cfg.merge_from_dict(options)
    setup_processes(cfg)
    MMLogger.get_instance('digits', log_level='ERROR')
    say(f'clouds of 64 digits and their exact persistence images: {cfg.clouds.num_clouds}')
    PersistenceImageRunner.from_cfg(cfg).run()
    say('RipsNet, with mean and with sum over the points')
    for _ in side_by_side(train_ripsnet, [(cfg.to_dict(), operator) for operator in OPERATORS], jobs):
        pass
    RipsNetRunner.from_cfg(cfg).run()
    png = osp.join(args.work_dir, 'persistence_images.png')
    say(f'RipsNet: MSE {picture(folder, png):.5f} on held-out clouds, picture in {png}')

    say(f'students {", ".join(STUDENTS)}: {args.seeds} cohorts, one a seed')
    calls = [(cohort(osp.join(args.work_dir, f'seed{seed}'), seed, args.quick, options),) for seed in range(args.seeds)]
    found, begin = {}, time.time()
    for seed, results in side_by_side(train, calls, jobs):
        found[seed] = results['members']
        figures = ', '.join(f'{name} {results["members"][name]["last"]["accuracy/top1"]:.2f} %' for name in STUDENTS)
        left = (time.time() - begin) / len(found) * (args.seeds - len(found))
        say(f'seed {seed}: {figures}; about {left:.0f} s left')
    runs = {name: [found[seed][name] for seed in range(args.seeds)] for name in STUDENTS}
    closing = table(teacher, runs)
    with open(osp.join(args.work_dir, 'table.txt'), 'w') as file:
        file.write(closing + '\n')
    print(
        f'\nAccuracy on the 359 test digits, {args.seeds} seeds, '
        f'{time.time() - BEGIN:.0f} s\n\n{closing}\n\n"best" is chosen on the test digits, as papers do; "last" is '
        'not.\n'
        f'Picture: {png}'
    )


if __name__ == '__main__':
    main()
