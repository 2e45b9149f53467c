"""The GPUs that jobs on this machine may use, and what they compute with in words."""

import os
import platform
import re
from collections.abc import Sequence

import torch


def visible_gpus(device: str | None) -> list[str]:
    """Return the names of the GPUs that a device stands for, as CUDA_VISIBLE_DEVICES takes them.

    Args:
        device (str, optional): 'cpu', 'cuda' for all GPUs, or 'cuda:N' for the N-th; None takes all that there are.

    Raises:
        ValueError: If the word is another one, or the GPU is not there.

    Example:
        >>> visible_gpus('cpu')
        []
    """
    if device == 'cpu':
        return []
    match = re.fullmatch(r'cuda(:(\d+))?', device or 'cuda')
    if match is None:
        raise ValueError(f"--device must be cpu, cuda or cuda:N, got '{device}'")
    count = torch.cuda.device_count()
    if device is not None and count <= int(match[2] or 0):
        raise ValueError(f'--device {device} is not there: this machine has {count} GPUs, take one of them or cpu')
    # a queue may have given this process some of the machine's GPUs only
    given = [name for name in os.environ.get('CUDA_VISIBLE_DEVICES', '').split(',') if name]
    names = (given or [str(number) for number in range(count)])[:count]
    return names if match[2] is None else [names[int(match[2])]]


def describe(visible: Sequence[str], threads: int) -> str:
    """Say in words what jobs on this machine compute with.

    Args:
        visible (Sequence[str]): GPUs, from :func:`visible_gpus`.
        threads (int): Of a job.

    Example:
        >>> describe([], 2).split(' ', 1)[1]
        'CPU, 2 threads'
    """
    return torch.cuda.get_device_name() if visible else f'{platform.machine()} CPU, {threads} threads'
