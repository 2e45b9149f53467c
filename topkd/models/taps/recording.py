"""One forward of a network listed module by module, from which taps are found and shown; trainings read by tap.py."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from topkd.models.taps.detector_taps import one_stage_forward
from topkd.models.taps.tap import members


class ModuleCall(NamedTuple):
    """One call of a module.

    Attributes:
        path (str): Of the module in the network.
        module (nn.Module): The module.
        inputs (dict[str, Tensor]): The tensors among its positional arguments, by what a tap writes behind the path:
            '(0)', '(0)[1]'.
        outputs (dict[str, Tensor]): The tensors that it returned: '' for a single one, '[0]', '[0][1]'.
        versions (dict[str, int]): Of the outputs, when they were returned.
    """

    path: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    versions: dict[str, int]

    def overwritten(self, suffix: str) -> bool:
        """Tell whether an output was changed in place after it was returned."""
        return self.outputs[suffix]._version != self.versions[suffix]


@torch.no_grad()
def recorded(network: nn.Module, run: Callable[[], Any]) -> tuple[list[ModuleCall], Any]:
    """Run a network once and note all calls of its modules; modes and hooks stay as they were.

    Args:
        network (nn.Module): The network.
        run (Callable): Runs its forward.

    Returns:
        tuple: The calls in the order in which they ended, and what the forward returned.

    Example:
        >>> network = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        >>> calls, _ = recorded(network, lambda: network(torch.zeros(1, 2)))
        >>> [(call.path, tuple(call.outputs[''].shape)) for call in calls]
        [('0', (1, 3)), ('1', (1, 3)), ('', (1, 3))]
    """
    calls: list[ModuleCall] = []
    names = {id(module): name for name, module in network.named_modules()}
    modes = [(module, module.training) for module in network.modules()]

    def note(module: nn.Module, inputs: tuple, output: Any) -> None:
        given = {f'({number}){suffix}': tensor for number, value in enumerate(inputs) for suffix, tensor in flat(value)}
        outputs = dict(flat(output))
        versions = {suffix: tensor._version for suffix, tensor in outputs.items()}
        calls.append(ModuleCall(names[id(module)], module, given, outputs, versions))

    handles = [module.register_forward_hook(note) for module in network.modules()]
    try:
        network.eval()
        result = run()
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    return calls, result


def flat(values: Any, suffix: str = '') -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of nested tuples, lists and dicts with the numbers that lead to it.

    Args:
        values (Any): What a module was given or returned.
        suffix (str): What leads to ``values``. Defaults to ''.

    Example:
        >>> [name for name, _ in flat((torch.zeros(1), [torch.zeros(2)]))]
        ['[0]', '[1][0]']
    """
    if isinstance(values, Tensor):
        yield suffix, values
        return
    for number, value in enumerate(members(values) or ()):
        yield from flat(value, f'{suffix}[{number}]')


def whole_forward(network: Any, image: Tensor, data_samples: list | None = None) -> Callable[[], Any]:
    """Return a function that runs as much of a network as a forward without annotations runs.

    Args:
        network (nn.Module): A classifier or detector in the MMEngine style.
        image (Tensor): (1, 3, H, W) as the network expects it.
        data_samples (list, optional): What a two-stage detector must know of the image.
    """
    return one_stage_forward(network, image) or (lambda: network(image, data_samples, mode='tensor'))
