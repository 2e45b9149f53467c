"""Read and write checkpoint files: weights only, complete or not at all.

torch and MMEngine load and save; strictness, weights without code, and whole files are what they do not promise
together.
"""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor, nn

from topkd.utils.addresses import download
from topkd.utils.files import check_file, whole_file
from topkd.utils.safe_globals import beside_weights, safe_globals

# what is often found in the place of a checkpoint, by its first bytes
NO_CHECKPOINTS = {
    b'version https://git-lfs': 'it only says where Git LFS keeps the file; fetch that by git lfs pull',
    b'<': 'it is a web page; download the file itself',
}


def load_file(path: str, map_location: Any = 'cpu') -> dict:
    """Load a checkpoint without running code from it.

    Args:
        path (str): A local path, or a URL or ``torchvision://`` name as MMEngine knows them.
        map_location (str | Callable): As in ``torch.load``. Defaults to 'cpu'.

    Returns:
        dict: The file's content.

    Raises:
        FileNotFoundError: If a local path does not exist.
        ValueError: If the file is no checkpoint, is cut short, or holds more than weights and plain values.
    """
    path = str(path)
    if '://' in path:
        return _checked_content(download(path, map_location), path)
    check_file(path, 'checkpoint', 'correct the path in the config')
    path = os.path.expanduser(path)
    try:
        with safe_globals(beside_weights()):
            content = torch.load(path, map_location=map_location, weights_only=True)
    except OSError:
        raise
    except Exception as error:
        # on bytes that are no checkpoint the unpickler fails in any way
        raise ValueError(
            f"'{path}' cannot be read as a checkpoint of weights ({unreadable(error)}): {_remedy(path)}"
        ) from error
    return _checked_content(content, path)


def _checked_content(content: Any, path: str) -> dict:
    if not isinstance(content, dict):
        raise ValueError(
            f"'{path}' holds a {type(content).__name__}, expected a dict of weights: name the checkpoint of a network"
        )
    return content


def load_state(path: str) -> dict[str, Tensor]:
    """Load a checkpoint's weights, which stand under ``state_dict`` or are the whole file; see :func:`load_file`."""
    return weights_in(load_file(path), f"'{path}'")


def weights_in(content: Mapping[str, Any], what: str, name: str = 'state_dict') -> dict[str, Tensor]:
    """Return the weights of a checkpoint's content.

    Args:
        content (Mapping): The content; without an entry of that name it is the weights itself.
        what (str): What holds it, for the message.
        name (str): Of the weights. Defaults to 'state_dict'.

    Raises:
        ValueError: If it is no mapping of names to tensors.

    Example:
        >>> sorted(weights_in(dict(state_dict=dict(a=torch.zeros(1))), 'the file'))
        ['a']
    """
    weights = content.get(name, content)
    named = isinstance(weights, Mapping) and all(isinstance(key, str) for key in weights)
    if not named or not any(isinstance(value, Tensor) for value in weights.values()):
        raise ValueError(f'{what} holds no weights: name the checkpoint of a network')
    return dict(weights)


def _remedy(path: str) -> str:
    with open(path, 'rb') as file:
        start = file.read(64).lstrip().lower()
    known = next((words for bytes_, words in NO_CHECKPOINTS.items() if start.startswith(bytes_)), None)
    return known or 'it is cut short, of another format, or holds Python objects; make it again or convert it'


def unreadable(error: Exception) -> str:
    """Say in a few words why ``torch.load`` refused a file; its own message advises to lift the protection."""
    text = str(error)
    # a text is read as a pickle, too, and its words as names
    held, asked = re.search(r'GLOBAL (\w+(?:\.\w+)+)', text), re.search(r'the file asks for .*', text)
    if held:
        return f'it holds {held[1]}'
    return asked[0] if asked else f'{type(error).__name__} on reading it'


def use_safe_loader() -> None:
    """Let MMEngine read local checkpoints by :func:`load_file` too.

    Its own list of names that a file may use holds ``getattr``, by which a file reaches everything, and on an error it
    falls back to unrestricted unpickling.
    """
    CheckpointLoader.register_scheme(prefixes='', loader=load_file, force=True)


def load_weights(model: nn.Module, path: str, what: str = 'model', weights: Mapping[str, Tensor] | None = None) -> None:
    """Load a checkpoint into a model completely, or not at all.

    Args:
        model (nn.Module): Receives the weights.
        path (str): See :func:`load_state`.
        what (str): What the model is, for the message. Defaults to 'model'.
        weights (Mapping[str, Tensor], optional): Taken instead of the file's, which then only gives the message a name.

    Raises:
        ValueError: If a key is missing, left over, of another shape or holds a value that is not finite; the message
            lists them.
    """
    if weights is None:
        weights = load_state(path)
    expected = model.state_dict()
    problems = misfits(expected, weights)
    if problems:
        raise ValueError(
            f"{what}: checkpoint '{path}' does not fit {type(model).__name__} ({problems}): "
            'name the checkpoint of this network, or convert it with tools/convert_checkpoint.py'
        )
    broken = not_finite(weights)
    if broken:
        raise ValueError(
            f"{what}: checkpoint '{path}' holds weights that are not finite ({_listing('with nan or inf', broken)}): "
            'the training that wrote it diverged, name an earlier checkpoint of it'
        )
    model.load_state_dict(weights, strict=True)


def misfits(expected: Mapping[str, Tensor], weights: Mapping[str, Any]) -> str:
    """List in words how weights differ from those that a network has, '' if they fit.

    Args:
        expected (Mapping): State dict of the network.
        weights (Mapping): What is to be loaded.

    Example:
        >>> misfits(dict(a=torch.zeros(2)), dict(a=torch.zeros(3), b=torch.zeros(1)))
        '1 unexpected: b; 1 of another shape: a (3,) instead of (2,)'
    """
    other = [
        f'{key} {_shape(weights[key])} instead of {tuple(tensor.shape)}'
        for key, tensor in expected.items()
        if key in weights and _shape(weights[key]) != tuple(tensor.shape)
    ]
    numbers = [
        f'{key} {weights[key].dtype} instead of {tensor.dtype}'
        for key, tensor in expected.items()
        if tensor.is_floating_point() and isinstance(weights.get(key), Tensor) and not weights[key].is_floating_point()
    ]
    problems = [
        _listing('missing', [key for key in expected if key not in weights]),
        _listing('unexpected', [key for key in weights if key not in expected]),
        _listing('of another shape', other),
        _listing('of other numbers', numbers),
    ]
    return '; '.join(filter(None, problems))


def not_finite(weights: Mapping[str, Any]) -> list[str]:
    """List the tensors of a state dict that hold a value that is not finite.

    Example:
        >>> not_finite(dict(weight=torch.tensor([1.0, float('nan')]), bias=torch.zeros(2)))
        ['weight']
    """
    return [
        key
        for key, tensor in weights.items()
        if isinstance(tensor, Tensor) and tensor.is_floating_point() and not tensor.isfinite().all()
    ]


def _shape(value: Any) -> tuple[int, ...] | str:
    return tuple(value.shape) if isinstance(value, Tensor) else f'is a {type(value).__name__}'


def _listing(kind: str, keys: Sequence[str]) -> str:
    """Describe keys that do not fit, the first four by name."""
    return f'{len(keys)} {kind}: {", ".join(keys[:4])}{", ..." if len(keys) > 4 else ""}' if keys else ''


def fingerprint(model: nn.Module) -> str:
    """Return a short hash of a model's parameters and buffers, the same for every file that holds them.

    Args:
        model (nn.Module): Any module.

    Returns:
        str: 16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    state: Mapping[str, Tensor] = model.state_dict()
    for name in sorted(state):
        if name.endswith(
            'num_batches_tracked'
        ):  # a counter that old checkpoints lack and no forward in eval mode reads
            continue
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def save_file(content: dict[str, Any], path: str) -> None:
    """Write a checkpoint beside its destination first, so that a kill or a full disk leaves the old file intact.

    Args:
        content (dict): Tensors and plain values.
        path (str): Destination; its folder is made.

    Raises:
        OSError: If the disk is full or the folder cannot be written; nothing is left behind.
    """
    with whole_file(path, _bytes(content)) as partial:
        torch.save(content, partial)


def _bytes(content: Any) -> int:
    """Return the size of all tensors in nested dicts and lists."""
    if isinstance(content, Tensor):
        return content.numel() * content.element_size()
    inside = content.values() if isinstance(content, Mapping) else content if isinstance(content, (list, tuple)) else ()
    return sum(map(_bytes, inside))
