"""Read features of a model by module path, for the length of one forward pass."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

Taps = str | Sequence[str]
OUTPUT = re.compile(r'([\w.-]+)((?:\[\d+\])*)')
HEAD_OUTPUT = 'bbox_head['
INPUT = re.compile(r'([\w.-]+)\((\d+)\)')


def parse_tap(path: str) -> tuple[str, int]:
    """Split a tap into the module's path and the index of its output.

    Args:
        path (str): ``'backbone.layer1'``, or ``'neck[0]'`` for output number 0 of a module that returns several, or
            ``'bbox_head[0][2]'`` for number 2 of the list that is output number 0.

    Returns:
        tuple: (module path, index), the index being the last one, -1 where the tap has none.
    """
    module, indices = _parse_output(path)
    return module, indices[-1] if indices else -1


def _parse_output(path: str) -> tuple[str, tuple[int, ...]]:
    """Split a tap into the module's path and the indices of its output, from the outer one to the inner one."""
    match = OUTPUT.fullmatch(path)
    if match is None:
        raise ValueError(f"a tap is a module path such as 'backbone.layer1' or 'neck[0]', got '{path}'")
    return match[1], tuple(int(index) for index in re.findall(r'\d+', match[2]))


def find_module(model: nn.Module, path: str) -> nn.Module:
    """Return the submodule at a dotted path, in which '-1' is the last child of a module, '-2' the one before it.

    Raises:
        KeyError: If no such module exists; the message lists the names at the level that failed.
    """
    module = model
    for name in path.split('.'):
        children = dict(module.named_children())
        if re.fullmatch(r'-[1-9]\d*', name) and int(name[1:]) <= len(children):
            name = list(children)[int(name)]
        if name not in children:
            raise KeyError(
                f"tap '{path}': {type(module).__name__} has no module '{name}'; it has: {', '.join(children) or 'none'}"
            )
        module = children[name]
    return module


def find_parameter(model: nn.Module, path: str) -> nn.Parameter | None:
    """Return the parameter that a dotted path such as ``'head.fc.weight'`` names, or None if it names none."""
    owner, _, name = path.rpartition('.')
    try:
        module = find_module(model, owner) if owner else model
    except KeyError:
        return None
    return module._parameters.get(name)


@contextmanager
def tap(model: nn.Module, paths: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Collect the outputs of named modules while the model runs inside the ``with`` block.

    The hooks live for this one forward only: nothing is left on the model that a deepcopy, a checkpoint or another
    process could carry along.

    Args:
        model (nn.Module): The model whose forward runs inside the block.
        paths (Sequence[str]): Taps, see :func:`parse_tap`; or ``'roi_head.bbox_roi_extractor(1)'`` for what a module
            is given as its positional argument number 1; or ``'head.fc.weight'`` for a parameter itself.

    Yields:
        dict[str, Tensor]: Filled during the forward, one tensor a tap, in the graph of the forward.

    Raises:
        KeyError: If a path names no module.
        TypeError: If a module returns something else than one tensor and no index was given.
        ValueError: If, on leaving the block, a tap was not reached, or was overwritten by an in-place operation.
    """
    features: dict[str, Tensor] = {}
    versions: dict[str, int] = {}

    def collect(path: str, indices: tuple[int, ...], values: Any) -> None:
        if path in features:
            raise ValueError(
                f"tap '{path}' ran more than once in one forward (a module shared between inputs); "
                'tap a module that runs once'
            )
        features[path] = _select(path, indices, values)
        versions[path] = _version(features[path])

    def register(path: str) -> RemovableHandle | None:
        parameter = find_parameter(model, path)
        if parameter is not None:
            features[path], versions[path] = parameter, _version(parameter)
            return None
        match = INPUT.fullmatch(path)
        if match is not None:
            return find_module(model, match[1]).register_forward_pre_hook(
                lambda module, args: collect(path, (int(match[2]),), args)
            )
        module_path, indices = _parse_output(path)
        return find_module(model, module_path).register_forward_hook(
            lambda module, args, output: collect(path, indices, output)
        )

    handles = []
    try:
        for path in dict.fromkeys(paths):
            handles.append(register(path))
        yield features
    finally:
        for handle in handles:
            if handle is not None:
                handle.remove()
    for path in paths:
        if path not in features:
            raise ValueError(
                f"tap '{path}' was not reached by the forward pass of {type(model).__name__}; "
                'tap a module that this forward runs'
            )
        if _version(features[path]) != versions[path]:
            raise ValueError(
                f"tap '{path}' was overwritten by a later in-place operation; tap the module after it, "
                'or set inplace=False there'
            )


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _select(path: str, indices: tuple[int, ...], output: Any) -> Tensor:
    """Pick the tensor that a tap names out of a module's output."""
    picked = output
    for index in indices:
        inside = isinstance(picked, (tuple, list)) and index < len(picked)
        picked = picked[index] if inside else None
    if isinstance(picked, Tensor):
        return picked
    if isinstance(output, (tuple, list)) and not indices:
        raise TypeError(
            f"tap '{path}' must be one tensor, got a {type(output).__name__} of {len(output)}: name one of "
            f"its outputs, '{path}[0]' to '{path}[{len(output) - 1}]'"
        )
    what = f'{type(output).__name__} of {len(output)}' if isinstance(output, (tuple, list)) else type(output).__name__
    raise TypeError(f"tap '{path}' names no tensor: the module returned a {what}")


def reach(model: nn.Module, inputs: Tensor, paths: Sequence[str]) -> dict[str, Tensor]:
    """Run the cheapest forward of a model that reaches the taps, and return their features.

    Taps inside ``backbone`` and ``neck`` need ``extract_feat`` only. Outputs of a one-stage detector's ``bbox_head``
    need that head too, which is called here, because detectors pass by the hooks of their own heads. Everything else
    needs the whole network (``mode='tensor'``).

    Args:
        model (nn.Module): A classifier or detector in the MMEngine style.
        inputs (Tensor): Images as the model expects them, (N, 3, H, W).
        paths (Sequence[str]): Taps, see :func:`parse_tap`.

    Returns:
        dict[str, Tensor]: One tensor a tap.
    """
    network: Any = model  # extract_feat is a method of the host toolboxes, not of torch
    only_features = all(re.split(r'[.\[]', path)[0] in ('backbone', 'neck') for path in paths)
    with tap(model, paths) as features:
        if only_features and hasattr(model, 'extract_feat'):
            network.extract_feat(inputs)
        elif any(path.startswith(HEAD_OUTPUT) for path in paths):
            network.bbox_head(network.extract_feat(inputs))
        else:
            model(inputs, mode='tensor')
    return features


def check_taps(name: str, taps: Any) -> Taps:
    """Refuse what is neither a tap nor a list of taps.

    Args:
        name (str): What the user calls it, for example 'student_tap'.
        taps (Any): The value.

    Raises:
        TypeError: If it is something else.
    """
    if isinstance(taps, str):
        return taps
    if not isinstance(taps, Sequence) or not taps or not all(isinstance(path, str) for path in taps):
        raise TypeError(f"{name} must be the path of a module, such as 'neck[0]', or a list of such, got {taps!r}")
    return taps


def as_list(taps: Taps) -> list[str]:
    """Return one tap or several as a list."""
    return [taps] if isinstance(taps, str) else list(taps)


def pick(features: dict[str, Tensor], taps: Taps) -> Any:
    """Return the features of one tap as a tensor, of several as a list of tensors."""
    return features[taps] if isinstance(taps, str) else [features[path] for path in taps]
