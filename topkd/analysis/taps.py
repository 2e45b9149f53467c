"""What can be tapped in the networks of a config, with what its losses tap and the taps by name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch import Tensor

from topkd.models.losses.topology_configs import build_unloaded
from topkd.models.probe_image import DEFAULT, declared_size
from topkd.models.taps.detector_taps import detector_taps
from topkd.models.taps.tap import as_list, reach
from topkd.models.taps.tap_names import TapNames
from topkd.models.taps.tap_paths import TapError, locate
from topkd.models.taps.tappable import Tappable, tappable
from topkd.models.teacher import teacher_config
from topkd.utils.config import with_preprocessor, without_weights
from topkd.utils.student_export import student_config


class NetworkTaps(NamedTuple):
    """A network and everything that can be said of its taps.

    Attributes:
        role (str): 'student', 'teacher' or 'network'.
        kind (str): Class of the network.
        size (tuple[int, int]): Height and width of the image that it was shown.
        found (list[Tappable]): What can be tapped, in the order in which the modules are registered.
        names (dict[str, list[str]]): The taps by name, such as '@maps'; empty if the network is no classifier.
        used (dict[str, list[str]]): The taps of every loss, names resolved.
        shapes (dict[str, tuple[int, ...]]): Of the tensors at the taps by name and at those of the losses.
        problems (list[str]): One sentence for every tap of a loss that the network does not have.

    Example:
        >>> fc = Tappable('head.fc', 'Linear', (1, 10))
        >>> NetworkTaps('student', 'Net', (8, 8), [fc], {'@logits': ['head.fc']}, {}, {}, []).marks(fc)
        ['@logits']
    """

    role: str
    kind: str
    size: tuple[int, int]
    found: list[Tappable]
    names: dict[str, list[str]]
    used: dict[str, list[str]]
    shapes: dict[str, tuple[int, ...]]
    problems: list[str]

    def marks(self, entry: Tappable) -> list[str]:
        """Return what reads an entry: losses by name, and names of taps."""
        return [
            label
            for group in (self.used, self.names)
            for label, taps in group.items()
            if any(_same(tap, entry.tap) for tap in taps)
        ]


def config_taps(cfg: Config, size: tuple[int, int] | None = None, member: str | None = None) -> list[NetworkTaps]:
    """Build the networks of a config without their weights, run each on one image, and list what can be tapped.

    Args:
        cfg (Config): Of a network, a distiller or a cohort.
        size (tuple[int, int], optional): Height and width of the image. None: what a network says that it was made for,
            64 x 64 if it says nothing.
        member (str, optional): Name of the cohort's member.

    Returns:
        list[NetworkTaps]: Student and teacher, or the one network of a plain config.

    Raises:
        ValueError: If there is no such member.

    Example:
        >>> import mmpretrain.models
        >>> import topkd
        >>> network = dict(type='topkd.ModuleClassifier', module='torchvision.models.resnet18', num_classes=10)
        >>> (taps,) = config_taps(Config(dict(model=network)))
        >>> taps.names['@pooled'], taps.shapes['model.fc(0)']
        (['model.fc(0)'], (1, 512))
    """
    if 'teacher' not in cfg.model and member is None:
        return [_network('network', with_preprocessor(cfg.model, cfg), {}, size)]
    student = student_config(cfg, member)
    distiller = cfg.model.members[member] if 'members' in cfg.model else cfg.model
    configs = distiller.get('losses') or {}
    losses = {name: build_unloaded(config) for name, config in configs.items() if config is not None}
    teacher = dict(teacher_config(cfg.model.teacher))
    teacher.setdefault('data_preprocessor', student.get('data_preprocessor'))
    resized = cfg.model.teacher.get('input_size')
    return [
        _network('student', student, {name: loss.student_tap for name, loss in losses.items()}, size),
        _network('teacher', teacher, {name: loss.teacher_tap for name, loss in losses.items()}, resized or size),
    ]


@torch.no_grad()
def _network(role: str, model: Mapping[str, Any], taps: Mapping[str, Any], size: Any) -> NetworkTaps:
    network = MODELS.build(without_weights(model)).eval()
    size = tuple(size or declared_size(network) or DEFAULT)
    image, samples = probe(network, size)
    names = TapNames(network, image)
    used: dict[str, list[str]] = {}
    problems = []
    for loss, wanted in taps.items():
        for tap in as_list(wanted):
            try:
                resolved = as_list(names.resolve(tap))
                for path in resolved:
                    locate(network, path)
                used.setdefault(loss, []).extend(resolved)
            except (TapError, KeyError, ValueError) as error:
                problems.append(f"loss '{loss}': {error.args[0]}")
    found, named = tappable(network, image, samples), _named(names)
    shapes = _shapes(network, [path for group in (named, used) for taps in group.values() for path in taps], image)
    return NetworkTaps(role, type(network).__name__, size, found, named, used, shapes, problems)


def _shapes(network: Any, paths: Sequence[str], image: Tensor) -> dict[str, tuple[int, ...]]:
    """Return the shapes at taps that a forward without annotations reaches."""
    try:
        features = reach(network, image, paths) if paths else {}
    except (TapError, TypeError, AttributeError):  # taps of a detector's training step
        return {}
    return {path: tuple(feature.shape) for path, feature in features.items()}


def probe(network: Any, size: tuple[int, int]) -> tuple[Tensor, list]:
    """Let a network's own data preprocessor make its input of one image.

    Args:
        network (nn.Module): With a ``data_preprocessor``.
        size (tuple[int, int]): Height and width.

    Returns:
        tuple: Images (1, 3, H', W') and the data samples.

    Example:
        >>> import mmpretrain.models
        >>> preprocessor = dict(type='mmpretrain.ClsDataPreprocessor', num_classes=10)
        >>> network = torch.nn.Module()
        >>> network.data_preprocessor = MODELS.build(preprocessor)
        >>> image, data_samples = probe(network, (8, 6))
        >>> image.shape, len(data_samples)
        (torch.Size([1, 3, 8, 6]), 1)
    """
    pixels = torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    sample = BaseDataElement(metainfo=dict(img_shape=size, ori_shape=size, pad_shape=size, scale_factor=(1.0, 1.0)))
    data = network.data_preprocessor(dict(inputs=[pixels], data_samples=[sample]), False)
    # preprocessors return one tensor or a list
    return torch.stack(list(data['inputs'])).float(), data.get('data_samples') or [sample]


def _named(names: TapNames) -> dict[str, list[str]]:
    """Return the taps by name; of a detector, which has no logits (N, K), those of its backbone and of its pyramid."""
    found: dict[str, Any] = {}
    try:
        found.update(names.taps._asdict())
        locate(names.network, names.taps.logits)
    except TapError:
        found = {field: found[field] for field in ('stem', 'maps') if field in found}
    try:
        found.update(detector_taps(names.network)._asdict())
    except ValueError:  # no detector
        pass
    return {f'@{field}': as_list(taps) for field, taps in found.items() if taps is not None and field != 'last_bn'}


def _same(tap: str, entry: str) -> bool:
    """Tell whether a tap reads an entry of the list, whatever it makes of the tensor."""
    return tap.partition(':')[0] == entry


def lines(network: NetworkTaps, depth: int | None = None, word: str = '') -> Iterator[str]:
    """Yield the lines of the list for one network.

    Args:
        network (NetworkTaps): What was found.
        depth (int, optional): Longest path, in names. None: all.
        word (str): What a line must hold: a part of the path, of the module's class or of what reads it. Defaults to
            '', every line.

    Example:
        >>> fc = Tappable('head.fc', 'Linear', (1, 10))
        >>> network = NetworkTaps(
        ...     'student', 'Net', (8, 8), [fc], {'@logits': ['head.fc']}, {}, {'head.fc': (1, 10)}, []
        ... )
        >>> for line in lines(network):
        ...     print(line.strip())
        student: Net, shown an image of 8 x 8
        @logits          head.fc (1, 10)
        <BLANKLINE>
        head.fc  Linear  (1, 10)  @logits
    """
    yield f'{network.role}: {network.kind}, shown an image of {network.size[0]} x {network.size[1]}'
    for name, taps in network.names.items():
        yield f'  {name:<16} {_with_shapes(network, taps)}'
    for loss, taps in network.used.items():
        yield f"  loss '{loss}' taps {_with_shapes(network, taps)}"
    yield from (f'  MISSING  {problem}' for problem in network.problems)
    rows = [_row(entry, network.marks(entry)) for entry in network.found if depth is None or entry.depth <= depth]
    rows = [row for row in rows if word.lower() in ' '.join(row).lower()]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    yield ''
    for row in rows:
        yield '  ' + '  '.join(text.ljust(width) for text, width in zip(row, widths)).rstrip()


def _with_shapes(network: NetworkTaps, taps: Sequence[str]) -> str:
    return ', '.join(f'{tap} {network.shapes[tap]}' if tap in network.shapes else tap for tap in taps)


def _row(entry: Tappable, marks: Sequence[str]) -> tuple[str, str, str, str]:
    return (
        entry.tap,
        entry.kind,
        '' if entry.shape is None else str(entry.shape),
        '; '.join(filter(None, [', '.join(marks), entry.problem])),
    )
