"""RipsNet files: weights, operator, units, the spec of the images and where the clouds came from."""

import os
from collections.abc import Sequence

from topkd.artifacts.artifact import COMMANDS, OPERATORS
from topkd.topology.image_spec import check_spec
from topkd.utils.checkpoint import load_file, not_finite


def check_ripsnet_exists(path: str) -> None:
    """Refuse a path without a file, and say how to make it.

    Args:
        path (str): Of the RipsNet.

    Raises:
        FileNotFoundError: If there is no file.

    Example:
        >>> from pathlib import Path
        >>> Path('ripsnet.pth').touch()
        >>> check_ripsnet_exists('ripsnet.pth')
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"RipsNet '{path}' does not exist; make it with\n  {COMMANDS}")


def load_ripsnet_file(
    path: str, in_channels: int | None, homology_dims: Sequence[int], resolution: Sequence[int]
) -> dict:
    """Read a RipsNet file and check it against what is asked of it.

    Raises:
        FileNotFoundError: If there is no file; the message says how to make it.
        ValueError: If the file is no RipsNet, or one for other clouds or images than asked for.

    Example:
        >>> import torch
        >>> from topkd.models.vectorizers import RipsNet
        >>> torch.save(RipsNet(in_channels=64).to_file(), 'ripsnet.pth')
        >>> sorted(load_ripsnet_file('ripsnet.pth', 64, (0,), (20, 20)))
        ['homology_dims', 'in_channels', 'operator', 'resolution', 'source', 'spec', 'state_dict', 'units']
    """
    check_ripsnet_exists(path)
    file = load_file(path)
    missing = {'state_dict', 'in_channels', 'operator', 'units'} - set(file)
    if missing:
        raise ValueError(
            f"'{path}' is not a RipsNet file (it lacks {', '.join(sorted(missing))}): write one with "
            'tools/train_ripsnet.py or tools/convert_checkpoint.py'
        )
    broken = not_finite(file['state_dict']) if isinstance(file['state_dict'], dict) else ['state_dict']
    if broken:
        raise ValueError(
            f"RipsNet '{path}' must hold finite weights, got something else in {broken[0]}: make it again with "
            'tools/train_ripsnet.py'
        )
    if file['operator'] not in OPERATORS or not isinstance(file.get('source') or {}, dict):
        raise ValueError(
            f"RipsNet '{path}' must say one of the operators {', '.join(OPERATORS)}, and a dict of the "
            "clouds' source, got "
            f'{file["operator"]!r} and {file.get("source")!r}: make it again with tools/train_ripsnet.py'
        )
    if file.get('spec') is not None:
        check_spec(file['spec'], (resolution[0], resolution[1]))
    asked = dict(in_channels=in_channels, homology_dims=list(homology_dims), resolution=list(resolution))
    for name, value in asked.items():
        if value is not None and file.get(name, value) != value:
            raise ValueError(
                f"RipsNet '{path}' has {name} {file[name]}, the config asks for {value} "
                'and needs a RipsNet of its own: train it (tools/gen_pi.py, then tools/train_ripsnet.py)'
            )
    return file
