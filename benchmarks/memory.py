#!/usr/bin/env python3
"""Peak memory of gen_pi.py's diagrams and images and of train_ripsnet.py, for few clouds and for many.

    python benchmarks/memory.py [--clouds 200000] [--folder /tmp]

Every figure is the resident peak of a process of its own. The clouds, of 64 x 64, are random: a teacher's take an hour
and no memory that grows. 200,000 need 4 GB of disk, which are freed at the end, and some minutes.
"""

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STAGES = ('gen_pi.py', 'train_ripsnet.py')
FEW = 512
BYTES_A_CLOUD = 4 * (64 * 64 + 2 * 400)


def peak() -> float:
    """Return the resident peak of this process in MB."""
    status = Path('/proc/self/status')
    if status.is_file():  # getrusage would count what the parent held when it started this process
        return int(re.search(r'VmHWM:\s+(\d+) kB', status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** (20 if sys.platform == 'darwin' else 10)


def run_stage(stage: str, folder: str, clouds: int) -> None:
    """Do what a tool does, its clouds made up, and print the peak after the imports and at the end."""
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from numpy.random import default_rng

    import topkd  # noqa: F401
    from topkd.artifacts.array_file import ArrayFile
    from topkd.runners import PersistenceImageRunner, RipsNetRunner

    init_default_scope('mmpretrain')
    imported = peak()
    cfg = Config.fromfile(ROOT / 'configs' / 'topkd' / 'resnet20-resnet8_digits.py')
    cfg.merge_from_dict(
        {
            'model.teacher.checkpoint': None,
            'model.teacher.floor': None,
            'clouds': dict(num_clouds=clouds),
            'model.losses.topology.vectorizer.checkpoint': f'{folder}/{clouds}/ripsnet.pth',
            'ripsnet': dict(max_epochs=1, operators=('mean',)),
            'log_level': 'ERROR',
        }
    )

    class WithoutTeacher(PersistenceImageRunner):
        def _make_clouds(self, dataset: Any) -> None:
            generator, file = default_rng(0), ArrayFile(self.folder / 'clouds.npy')
            for start in range(0, clouds, FEW):
                file.write(start, generator.standard_normal((min(FEW, clouds - start), 64, 64), 'float32'))

    (WithoutTeacher if stage == STAGES[0] else RipsNetRunner).from_cfg(cfg).run()
    print(f'\n{imported} {peak()}')


def measure_memory(clouds: int, parent: str) -> None:
    """Print a table of peaks.

    Raises:
        OSError: If the disk has no room.
    """
    needed, free = 1.05 * clouds * BYTES_A_CLOUD, shutil.disk_usage(parent).free
    if free < needed:
        raise OSError(
            f"'{parent}' has {free / 1e9:.1f} GB left, {clouds} clouds need {needed / 1e9:.1f}: name another --folder"
        )
    print('\npeak memory, MB, clouds of 64 x 64   (bar: < 1000)')
    print(f'  {"":20}{"imports":>10}{f"{FEW} clouds":>16}{f"{clouds} clouds":>16}')
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        for stage in STAGES:
            lines = []
            for count in (FEW, clouds):
                command = [sys.executable, __file__, '--stage', stage, '--folder', folder, '--clouds', str(count)]
                lines.append(
                    subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout.split()[-2:]
                )
            print(
                f'  {stage:20}{float(lines[0][0]):>10.0f}{float(lines[0][1]):>16.0f}{float(lines[1][1]):>16.0f}',
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--clouds', type=int, default=200_000)
    parser.add_argument(
        '--folder', default=tempfile.gettempdir(), help='where to put the clouds meanwhile (default: %(default)s)'
    )
    parser.add_argument('--stage', choices=STAGES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.stage is None:
        measure_memory(args.clouds, args.folder)
    else:
        run_stage(args.stage, args.folder, args.clouds)


if __name__ == '__main__':
    main()
