"""What a new pair of classifiers needs besides its networks: taps, and the size of the teacher's images."""

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from torch import nn

from topkd.models.losses.topology_configs import build_unloaded
from topkd.models.probe_image import blank_image, declared_size
from topkd.models.taps.tap import as_list
from topkd.models.taps.tap_names import TapNames
from topkd.models.taps.tap_paths import TapError, locate
from topkd.utils.config import with_preprocessor, without_weights

# what losses tap in mmpretrain's CNNs unless they are told otherwise, by what it is called in every network
USUAL = {'neck[0]': '@pooled', 'head.fc': '@logits'}


class PairTaps:
    """The taps of both networks of a pair of classifiers, found in the networks.

    Args:
        student (Config): The student's own config.
        teacher (Config): The teacher's.
    """

    def __init__(self, student: Config, teacher: Config) -> None:
        self.networks = dict(student=_network(student), teacher=_network(teacher))
        self.found = {role: replacements(network) for role, network in self.networks.items()}

    def words(self, loss: dict) -> str:
        """Return what a loss's config needs besides what it says: ``, student_tap='...', teacher_tap='...'``, or ''.

        Args:
            loss (dict): Config of the loss.
        """
        built = build_unloaded(loss)
        taps = dict(student=built.student_tap, teacher=built.teacher_tap)
        changed = {role: _replaced(tap, self.found[role]) for role, tap in taps.items()}
        if changed == taps:
            return ''
        return ''.join(f', {role}_tap={tap!r}' for role, tap in changed.items())

    def input_size(self) -> tuple[int, int] | None:
        """Return the size that the teacher's images need, None if the student's serve."""
        sizes = {role: declared_size(network) for role, network in self.networks.items()}
        return None if sizes['teacher'] == sizes['student'] else sizes['teacher']


def replacements(network: nn.Module) -> dict[str, str]:
    """Return what stands for the usual taps in a network that does not have them.

    Args:
        network (nn.Module): A classifier in the MMEngine style.

    Raises:
        ValueError: If the classifier's input or output cannot be found.
    """
    names = TapNames(network, blank_image(None, network))
    return {usual: str(names.resolve(name)) for usual, name in USUAL.items() if not _leads(network, usual)}


def _leads(network: nn.Module, tap: str) -> bool:
    """Tell whether a tap leads to a module of a network; ``neck`` may be None."""
    try:
        return locate(network, tap).module is not None
    except TapError:
        return False


def _network(cfg: Config) -> nn.Module:
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    return MODELS.build(without_weights(with_preprocessor(cfg.model, cfg)))


def _replaced(taps: Any, found: Mapping[str, str]) -> Any:
    replaced = [found.get(path, path) for path in as_list(taps)]
    return replaced[0] if isinstance(taps, str) else replaced
