"""Checkpoints that an address names: where they are kept once they were downloaded, and what may go wrong.

MMEngine downloads and caches; this names the cached file beforehand and turns its failures into one sentence.
"""

import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from mmengine.runner.checkpoint import CheckpointLoader, get_external_models, get_mmcls_models, get_torchvision_models

WEB = ('http', 'https')
# addresses by name, which MMEngine looks up
ZOOS = {
    'torchvision': get_torchvision_models,
    'modelzoo': get_torchvision_models,
    'open-mmlab': get_external_models,
    'openmmlab': get_external_models,
    'mmcls': get_mmcls_models,
}


def web_address(address: str) -> str:
    """Return the ``http`` address that an address stands for.

    Args:
        address (str): ``https://...``, or a name such as ``torchvision://resnet18``.

    Raises:
        KeyError: If the zoo has no network of that name.
        ValueError: If the scheme is unknown, or the port no number.

    Example:
        >>> web_address('torchvision://resnet18')
        'https://download.pytorch.org/models/resnet18-f37072fd.pth'
    """
    scheme, _, name = address.partition('://')
    if scheme in WEB:
        try:
            _ = urlparse(address).port
        except ValueError as error:
            raise ValueError(f"'{address}' is no address ({error}): correct it, or name a local file") from error
        return address
    if scheme not in ZOOS:
        raise ValueError(
            f"'{address}' has the unknown scheme '{scheme}': name a local file, or an address of "
            f'{", ".join((*WEB, *ZOOS))}'
        )
    known = ZOOS[scheme]()
    if name not in known:
        raise KeyError(f"{scheme} has no network '{name}': name a local file, or one of its {len(known)} networks")
    return known[name]


def cached_file(address: str) -> Path:
    """Return where a download is kept, whether it is there or not; arguments as in :func:`web_address`."""
    return Path(torch.hub.get_dir(), 'checkpoints', os.path.basename(urlparse(web_address(address)).path))


def is_reachable(address: str, seconds: float = 3.0) -> bool:
    """Tell whether the host of a web address answers.

    Args:
        address (str): See :func:`web_address`.
        seconds (float): How long to wait for it. Defaults to 3.
    """
    parts = urlparse(web_address(address))
    port = parts.port or (443 if parts.scheme == 'https' else 80)
    try:
        with socket.create_connection((parts.hostname or '', port), timeout=seconds):
            return True
    except OSError:
        return False


def download(address: str, map_location: Any = 'cpu') -> Any:
    """Load a checkpoint by MMEngine, from the cache if it was downloaded before.

    Args:
        address (str): See :func:`web_address`.
        map_location (str | Callable): As in ``torch.load``. Defaults to 'cpu'.

    Raises:
        OSError: If it cannot be downloaded; the message says where to put the file.
        ValueError: If the file is no checkpoint of weights.
    """
    file = cached_file(address)
    try:
        # TORCH_FORCE_WEIGHTS_ONLY_LOAD, set by the tools, keeps it from unrestricted unpickling
        return CheckpointLoader.load_checkpoint(address, map_location=map_location)
    except OSError as error:
        raise OSError(
            f"'{web_address(address)}' cannot be downloaded ({getattr(error, 'reason', error)}): fetch it where a "
            f"network allows and put it at '{file}', or name a local file"
        ) from error
    except Exception as error:
        # on bytes that are no checkpoint the unpickler fails in any way
        raise ValueError(
            f"'{address}', kept at '{file}', cannot be read as a checkpoint of weights ({type(error).__name__}): "
            'delete that file, so that it is downloaded again, or name another checkpoint'
        ) from error
