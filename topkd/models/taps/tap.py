"""Read features of a model by module path, for the length of one forward pass."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from topkd.models.taps.detector_taps import is_of_features, is_output_of_head, one_stage_forward
from topkd.models.taps.tap_paths import Place, TapOutputError, WrongTapError, find_module, locate, parse_tap
from topkd.models.taps.tap_views import viewed

__all__ = ['Taps', 'as_list', 'check_taps', 'find_module', 'parse_tap', 'pick', 'reach', 'tap']

Taps = str | Sequence[str]


@contextmanager
def tap(model: nn.Module, paths: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Collect the outputs of named modules while the model runs inside the ``with`` block.

    The hooks live for this one forward only: nothing is left on the model that a deepcopy, a checkpoint or another
    process could carry along.

    A tap is a path of names and numbers, ``'backbone.layers.11'`` or ``'backbone.layers[11]'``, and what follows it
    says what is read there: nothing, the module's output; ``[0]``, output number 0 of several, ``[0][1]`` of a tuple in
    a tuple; ``(1)``, what the module is given as its positional argument number 1. ``'head.fc.weight'`` is a parameter
    itself. Of a module that runs several times ``relu:last`` reads the last run. What an in-place module is given,
    ``relu(0)``, is copied before it is overwritten. At the end, ``:cls``, ``:mean``, ``:map`` or ``:nhwc`` says what is
    made of the tensor, see :mod:`topkd.models.taps.tap_views`.

    Args:
        model (nn.Module): The model whose forward runs inside the block.
        paths (Sequence[str]): Taps.

    Yields:
        dict[str, Tensor]: Filled during the forward, one tensor a tap, in the graph of the forward.

    Raises:
        KeyError: If a path names no module.
        TypeError: If a module returns something else than one tensor and no index was given.
        ValueError: If, on leaving the block, a tap was not reached, or was overwritten by an in-place operation.
    """
    features: dict[str, Tensor] = {}
    read: dict[str, tuple[Tensor, int]] = {}  # as the module handed it over, with its version then

    def collect(path: str, place: Place, values: Any) -> None:
        if path in features and not place.last:
            raise WrongTapError(
                f"tap '{path}' ran more than once in one forward (a module shared between inputs); "
                "tap a module that runs once, or read its last run by ':last' behind the tap",
                path,
            )
        tensor = _select(path, place, values)
        if place.part == 'input' and getattr(place.module, 'inplace', False):
            tensor = tensor.clone()
        read[path] = tensor, _version(tensor)
        features[path] = viewed(path, place.view, tensor)

    def register(path: str) -> RemovableHandle | None:
        place = locate(model, path)
        if place.part == 'weights':
            collect(path, place, place.module._parameters[place.parameter])
            return None
        if place.part == 'input':
            return place.module.register_forward_pre_hook(lambda module, args: collect(path, place, args))
        return place.module.register_forward_hook(lambda module, args, output: collect(path, place, output))

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
        _check_read(path, model, read.get(path))


def _check_read(path: str, model: nn.Module, read: tuple[Tensor, int] | None) -> None:
    """Refuse a tap that its forward did not reach, or whose tensor was overwritten after it was read."""
    if read is None:
        raise WrongTapError(
            f"tap '{path}' was not reached by the forward pass of {type(model).__name__}; "
            'tap a module that this forward runs',
            path,
        )
    tensor, version = read
    if _version(tensor) != version:
        raise WrongTapError(
            f"tap '{path}' was overwritten by a later in-place operation; tap the module after it, "
            'or set inplace=False there',
            path,
        )


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _select(path: str, place: Place, values: Any) -> Tensor:
    """Pick the tensor that a tap names out of what its module was given or returned."""
    found = values
    for index in place.indices:
        items = members(found)
        if items is None or not -len(items) <= index < len(items):
            raise TapOutputError(
                f"tap '{path}' names no tensor: {_handed(place, found)}{_child_instead(path, place)}", path
            )
        found = items[index]
    if isinstance(found, Tensor):
        return found
    items = members(found)
    if items and not place.indices and place.part == 'output':
        raise TapOutputError(
            f"tap '{path}' must be one tensor, got a {type(found).__name__} of {len(items)}: name one of "
            f"its outputs, '{path}[0]' to '{path}[{len(items) - 1}]'",
            path,
        )
    raise TapOutputError(f"tap '{path}' names no tensor: {_handed(place, values)}", path)


def members(values: Any) -> list[Any] | None:
    """Return what a tuple, a list or a dict of outputs holds, in order; None if it is none of them."""
    if isinstance(values, Mapping):
        return list(values.values())
    return list(values) if isinstance(values, (tuple, list)) else None


def _handed(place: Place, values: Any) -> str:
    items = members(values)
    what = type(values).__name__ if items is None else f'{type(values).__name__} of {len(items)}'
    return f'the module {"was given" if place.part == "input" else "returned"} a {what}'


def _child_instead(path: str, place: Place) -> str:
    """Suggest the child of a module that was meant by a number in brackets."""
    children = dict(place.module.named_children())
    index = str(place.indices[0])
    if place.part != 'output' or len(place.indices) > 1 or index not in children:
        return ''
    return f"; its module number {index} is '{path.rsplit('[', 1)[0]}.{index}'"


def reach(model: nn.Module, inputs: Tensor, paths: Sequence[str]) -> dict[str, Tensor]:
    """Run the cheapest forward of a model that reaches the taps, and return their features.

    Taps inside ``backbone`` and ``neck`` need ``extract_feat`` only. Outputs of a one-stage detector's ``bbox_head``
    need that head too, which is called here, because detectors pass by the hooks of their own heads. Everything else
    needs the whole network (``mode='tensor'``).

    Args:
        model (nn.Module): A classifier or detector in the MMEngine style.
        inputs (Tensor): Images as the model expects them, (N, 3, H, W).
        paths (Sequence[str]): Taps, see :func:`tap`.

    Returns:
        dict[str, Tensor]: One tensor a tap.
    """
    network: Any = model  # extract_feat is a method of the host toolboxes, not of torch
    run_head = one_stage_forward(model, inputs)
    with tap(model, paths) as features:
        if all(map(is_of_features, paths)) and hasattr(model, 'extract_feat'):
            network.extract_feat(inputs)
        elif run_head is not None and any(map(is_output_of_head, paths)):
            run_head()
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
