#!/usr/bin/env python3
"""The whole method on scikit-learn's digits: teacher, clouds and images, RipsNet, students, a table and a picture."""

import argparse
import json
import logging
import os.path as osp
import time
from statistics import mean, stdev

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.runner import Runner

import topkd  # noqa: F401
from topkd.analysis.images.comparison import plot_image_comparison
from topkd.cli import tool
from topkd.datasets.clouds import CloudImages
from topkd.launch import setup_processes
from topkd.models import RipsNet
from topkd.runners.persistence_image_runner import PersistenceImageRunner
from topkd.runners.ripsnet_runner import RipsNetRunner
from topkd.utils.config import merge_cfg_options

CONFIGS = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'configs')
STUDENTS = dict(
    plain='baselines/resnet8_digits.py', KD='kd/resnet20-resnet8_digits.py', TopKD='topkd/resnet20-resnet8_digits.py'
)
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


def train(name: str, work_dir: str, seed: int, quick: bool, **options) -> dict:
    """Train one network, unless its results are already there.

    Returns:
        dict: Content of ``results.json``.
    """
    path = osp.join(work_dir, 'results.json')
    cfg = read_config(name, work_dir, seed, quick)
    cfg.merge_from_dict(options)
    epochs = cfg.train_cfg.max_epochs
    if osp.isfile(path):
        with open(path) as file:
            results = json.load(file)
        if results['last']['epoch'] == epochs:
            return results
    Runner.from_cfg(cfg).train()
    with open(path) as file:
        return json.load(file)


def picture(folder: str, students: dict, path: str) -> float:
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


@tool
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3, help='runs of each student (default: 3)')
    parser.add_argument(
        '--work-dir', default='work_dirs/digits', help='folder for everything (default: work_dirs/digits)'
    )
    parser.add_argument('--quick', action='store_true', help='a few steps of everything, to see that it runs')
    args = parser.parse_args()
    logging.getLogger('mmengine').setLevel(logging.ERROR)
    torch.set_num_threads(1)  # on images of 8 x 8 pixels a second thread costs more than it saves

    say('teacher: ResNet20 on 1,438 digits')
    teacher_dir = osp.join(args.work_dir, 'teacher')
    teacher = train('baselines/resnet20_digits.py', teacher_dir, 0, args.quick)
    say(f'teacher: {teacher["last"]["accuracy/top1"]:.2f} % of the test digits')

    cfg = read_config(STUDENTS['TopKD'], osp.join(args.work_dir, 'clouds'), 0, args.quick)
    folder = osp.join(args.work_dir, 'ripsnet')
    options = {
        'model.teacher.checkpoint': osp.join(teacher_dir, f'epoch_{teacher["last"]["epoch"]}.pth'),
        'model.losses.topology.vectorizer.checkpoint': osp.join(folder, 'ripsnet.pth'),
    }
    if args.quick:
        options['model.teacher.floor'] = None
    cfg.merge_from_dict(options)
    setup_processes(cfg)
    MMLogger.get_instance('digits', log_level='ERROR')
    say(f'clouds of 64 digits and their exact persistence images: {cfg.clouds.num_clouds}')
    PersistenceImageRunner.from_cfg(cfg).run()
    say('RipsNet, with mean and with sum over the points (the longest step)')
    RipsNetRunner.from_cfg(cfg).run()
    png = osp.join(args.work_dir, 'persistence_images.png')
    say(f'RipsNet: MSE {picture(folder, {}, png):.5f} on held-out clouds, picture in {png}')

    runs = {name: [] for name in STUDENTS}
    for seed in range(args.seeds):
        for name, config in STUDENTS.items():
            needed = {
                key: value
                for key, value in options.items()
                if name != 'plain' and (name == 'TopKD' or 'teacher' in key)
            }
            result = train(config, osp.join(args.work_dir, f'{name}_seed{seed}'), seed, args.quick, **needed)
            runs[name].append(result)
            say(f'student {name}, seed {seed}: {result["last"]["accuracy/top1"]:.2f} %')
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
