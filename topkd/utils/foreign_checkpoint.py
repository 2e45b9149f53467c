"""Read checkpoints of other projects: the weights by name, and the plain values that stand beside them.

safetensors reads its own format alone; pickled checkpoints of other projects need an unpickler that runs nothing.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from topkd.utils.checkpoint import unreadable
from topkd.utils.safe_globals import beside_weights, safe_globals

# where the files of RepDistiller, mdistiller and TopKD keep the weights; the others are state dicts themselves
CONTAINERS = ('model', 'model_s', 'state_dict')
PLAIN = (np.generic, int, float, str)


def read_foreign(path: str) -> dict:
    """Read a file that another project wrote, without running code from it.

    Args:
        path (str): A local file.

    Returns:
        dict: The file's content.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no checkpoint, or holds more than weights, plain values and training options.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"'{path}' is not a file: name an existing checkpoint")
    try:
        with safe_globals(beside_weights()):
            content = torch.load(path, map_location='cpu', weights_only=True)
    except OSError:
        raise
    except Exception as error:
        # on bytes that are no checkpoint the unpickler fails in any way
        raise ValueError(
            f"'{path}' is not a checkpoint of weights alone ({unreadable(error)}): "
            "name a file that torch.save wrote, with a network's state_dict"
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"'{path}' holds a {type(content).__name__}, expected a dict of weights: "
            "name a file with a network's state_dict"
        )
    return content


def split_weights(content: Mapping[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Separate the weights from the values beside them, and remove the prefixes of wrappers from their names.

    Args:
        content (Mapping): A state dict, or one under ``model``, ``model_s`` or ``state_dict`` with others beside it.

    Returns:
        tuple: The weights by name, and the numbers and strings beside them. Optimizer states and the like are left
        out.

    Raises:
        ValueError: If there are no weights, something else stands among them, or two have the same name.
    """
    inside = next((key for key in CONTAINERS if isinstance(content.get(key), Mapping)), None)
    found = dict(content if inside is None else content[inside])
    beside = {} if inside is None else {key: value for key, value in content.items() if key != inside}
    beside.update({key: found.pop(key) for key in list(found) if isinstance(found[key], PLAIN)})
    wrong = [
        f'{key} ({type(value).__name__})'
        for key, value in found.items()
        if not (isinstance(key, str) and isinstance(value, Tensor))
    ]
    if wrong or not found:
        raise ValueError(
            f'expected tensors by name, at the top or under {", ".join(CONTAINERS)}, '
            f"got {', '.join(wrong) or 'none'}: name a file with a network's weights"
        )
    weights: dict[str, Tensor] = {}
    for key, tensor in found.items():
        name = re.sub(r'^((module|model)\.)+', '', key)
        if name in weights:
            raise ValueError(
                f"'{key}' is a second '{name}' once the prefixes of wrappers are removed: name a file with one network"
            )
        weights[name] = tensor
    return weights, {key: plain for key, plain in map(_plain, beside.items()) if plain is not None}


def _plain(item: tuple[str, Any]) -> tuple[str, Any]:
    """Turn a value beside the weights into a Python number or string, or None where it is neither."""
    key, value = item
    if isinstance(value, np.generic) or (isinstance(value, Tensor) and value.numel() == 1):
        value = value.item()
    return str(key), value if isinstance(value, (int, float, str)) else None
