"""The losses of a new pair of classifiers: the file that holds them, and the lines that put them together."""

from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from topkd.command.pair_taps import PairTaps

LOSSES = Path(__file__).resolve().parent.parent / '.mim' / 'configs' / '_base_' / 'losses'
OF_DETECTORS = ('_detection', '_dense')  # how files of losses end
# Where a topology term departs from the paper's. The weights are those that docs/study.md chose for clouds of 64
# images; sorted deaths are a mean over points, as cross entropy is one over images, the other three distances are sums.
TOPOLOGY = dict(
    topkd='',
    exact="vectorizer=dict(type='RipsImage')",
    sorted_deaths="distance='sorted_deaths', loss_weight=0.4",
    sliced_wasserstein="distance='sliced_wasserstein', loss_weight=0.03 * 64 / batch_size",
    signature="distance='signature', loss_weight=0.0003 * 64 / batch_size",
    rtd_lite="distance='rtd_lite', loss_weight=0.15 * 64 / batch_size",
)


def losses_of(name: str, pair: PairTaps) -> tuple[str, list[str]]:
    """Return the base file of a loss by its name, and the lines that put it together.

    Args:
        name (str): A topology term of ``TOPOLOGY``, or a file of ``configs/_base_/losses`` without its ending.
        pair (PairTaps): Tells the taps of networks that do not have the usual ones.

    Raises:
        ValueError: If there is no such file, or it is of detectors.
    """
    file = 'topkd' if name in TOPOLOGY else name
    check_file(name, file, tuple(TOPOLOGY))
    if file.endswith(OF_DETECTORS):
        raise ValueError(f"the loss '{name}' is of detectors, these are classifiers: name exact, or a method alone")
    known = Config.fromfile(LOSSES / f'{file}.py')
    if file != 'topkd':
        words = pair.words(known[file])
        return file, [f'losses = dict({file}={f"dict(_base_.{file}{words})" if words else f"_base_.{file}"})']
    return file, _topkd_lines(known, pair, TOPOLOGY[name])


def _topkd_lines(known: Config, pair: PairTaps, changes: str) -> list[str]:
    cloud = "cloud=dict(type='BatchCloud', num_points=batch_size)"
    kd, topology = (pair.words(known.losses[loss]) for loss in ('kd', 'topology'))
    return [
        'topology = dict(',
        f'    _base_.losses.topology, {cloud}{f", {changes}" if changes else ""}{topology}',
        ')',
        f'losses = dict(kd={f"dict(_base_.losses.kd{kd})" if kd else "_base_.losses.kd"}, topology=topology)',
    ]


def check_file(name: str, file: str, terms: Sequence[str]) -> None:
    """Refuse a loss that has no file.

    Args:
        name (str): Of the loss, as the user gave it.
        file (str): Of ``configs/_base_/losses``, without its ending.
        terms (Sequence[str]): Names of topology terms.

    Raises:
        ValueError: If there is no such file.
    """
    if not (LOSSES / f'{file}.py').is_file():
        known = [*terms, *sorted({path.stem for path in LOSSES.glob('*.py')} - {*terms})]
        raise ValueError(f"there is no loss '{name}': name one of {', '.join(known)}")
