"""``topkd doctor``: what is installed, what is missing, and what to do about it."""

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import NamedTuple

from topkd.compat.hosts import HOSTS, INSTALL, is_installed, missing_hosts
from topkd.version import __version__

OPTIONAL = {
    'gudhi': 'homology of dimension 2 and higher, and the checks against an independent library',
    'umap': 'tools/analysis/embeddings.py in the plane (pip install topkd[analysis])',
    'timm': 'students and teachers of timm (pip install topkd[timm])',
    'transformers': 'students and teachers of HuggingFace (pip install topkd[huggingface])',
    'onnxruntime': 'tools/export_onnx.py (pip install topkd[onnx])',
    'tensorboard': "MMEngine's TensorBoard back end (pip install topkd[logging])",
    'wandb': "MMEngine's Weights & Biases back end (pip install topkd[logging])",
    'mlflow': "MMEngine's MLflow back end (pip install topkd[logging])",
}
DATA = {
    'data/cifar100': 'CIFAR-100, downloaded on first use if a network allows',
    'data/coco': 'COCO 2017: annotations/, train2017/, val2017/',
    'data/imagenet': 'ImageNet-1K: train/<class>/, val/<class>/',
    'checkpoints': 'teachers, written by tools/convert_checkpoint.py or by a training',
}
GIGABYTES_FREE = 2


class Finding(NamedTuple):
    """A line of the report.

    Attributes:
        good (bool, optional): True if all is well, False if something must be done, None for what is optional.
        what (str): The subject.
        says (str): What was found.
        do (str): What to do about it; empty if nothing.
    """

    good: bool | None
    what: str
    says: str
    do: str = ''


def findings() -> Iterator[Finding]:
    """Look at the installation and at the current folder.

    Yields:
        Finding: In the order of the report.
    """
    yield Finding(True, 'topkd', f'{__version__} in {Path(__file__).resolve().parent.parent}')
    good = (3, 10) <= sys.version_info[:2] <= (3, 13)
    yield Finding(good, 'Python', platform.python_version(), '' if good else 'use Python 3.10 to 3.13')
    yield from _torch()
    brought_by = packages_distributions()  # reads what every installed package holds
    yield from _hosts(brought_by)
    for name, purpose in OPTIONAL.items():
        if is_installed(name):
            yield Finding(True, name, _version(name, brought_by))
        else:
            yield Finding(None, name, f'not here: {purpose}')
    for folder, purpose in DATA.items():
        here = Path(folder).is_dir()
        yield Finding(True if here else None, folder, 'found' if here else f'not in {os.getcwd()}: {purpose}')
    free = shutil.disk_usage('.').free / 1e9
    enough = free > GIGABYTES_FREE
    yield Finding(enough, 'disk', f'{free:.0f} GB free here', '' if enough else 'free space: checkpoints need it')


def _torch() -> Iterator[Finding]:
    if not is_installed('torch'):
        yield Finding(False, 'torch', 'missing', 'pip install torch torchvision')
        return
    import torch

    yield Finding(True, 'torch', f'{torch.__version__}, {torch.get_num_threads()} threads')
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            memory = torch.cuda.get_device_properties(number).total_memory / 2**30
            yield Finding(True, f'GPU {number}', f'{torch.cuda.get_device_name(number)}, {memory:.0f} GiB')
    else:
        built = torch.version.cuda
        why = 'torch was built without CUDA' if built is None else f'torch was built for CUDA {built}'
        yield Finding(None, 'GPU', f'none usable ({why}): everything runs on the CPU, slowly')


def _hosts(brought_by: Mapping[str, list[str]]) -> Iterator[Finding]:
    missing = missing_hosts()
    for name in HOSTS:
        if name not in missing:
            yield Finding(True, name, _version(name, brought_by))
    if missing:
        yield Finding(False, 'hosts', f'missing: {", ".join(missing)}', INSTALL)


def _version(name: str, brought_by: Mapping[str, list[str]]) -> str:
    """Return the version of an importable package, and the distributions that brought it if they have another name."""
    distributions = sorted(set(brought_by.get(name, ())))
    try:
        found = [f'{version(one)} ({one})' if one != name else version(one) for one in distributions]
    except PackageNotFoundError:
        found = []
    return ', '.join(found) or 'found'


def report() -> tuple[str, bool]:
    """Return the report and whether everything that is needed is there."""
    marks = {True: 'ok', False: 'MISSING', None: '-'}
    found = list(findings())
    lines = [f'{marks[line.good]:<8}{line.what:<16}{line.says}' for line in found]
    todo = [f'  {line.what}: {line.do}' for line in found if line.do]
    return '\n'.join([*lines, *(['', 'what to do:', *todo] if todo else [])]), not todo


def doctor() -> None:
    """Print the report, and exit with 1 if something that is needed is missing."""
    argparse.ArgumentParser(description='Say what is installed, what is missing, and what to do.').parse_args()
    text, healthy = report()
    print(text)
    if not healthy:
        sys.exit(1)
