"""The losses of a new pair of classifiers: the file that holds them, and the lines that put them together."""

from pathlib import Path

from mmengine.config import Config

from topkd.command.pair_taps import PairTaps

LOSSES = Path(__file__).resolve().parent.parent / '.mim' / 'configs' / '_base_' / 'losses'
OF_DETECTORS = ('_detection', '_dense')  # how files of losses end


def losses_of(name: str, pair: PairTaps) -> tuple[str, list[str]]:
    """Return the base file of a loss by its name, and the lines that put it together.

    Args:
        name (str): 'exact', 'topkd', 'kd', or a file of ``configs/_base_/losses`` without its ending.
        pair (PairTaps): Tells the taps of networks that do not have the usual ones.

    Raises:
        ValueError: If there is no such file, or it is of detectors.
    """
    file = 'topkd' if name in ('exact', 'topkd') else name
    check_file(name, file)
    if file.endswith(OF_DETECTORS):
        raise ValueError(f"the loss '{name}' is of detectors, these are classifiers: name exact, or a method alone")
    known = Config.fromfile(LOSSES / f'{file}.py')
    if file != 'topkd':
        words = pair.words(known[file])
        return file, [f'losses = dict({file}={f"dict(_base_.{file}{words})" if words else f"_base_.{file}"})']
    return file, _topkd_lines(known, pair, exact=name == 'exact')


def _topkd_lines(known: Config, pair: PairTaps, exact: bool) -> list[str]:
    switch = ", vectorizer=dict(type='RipsImage')" if exact else ''
    cloud = "cloud=dict(type='BatchCloud', num_points=batch_size)"
    kd, topology = (pair.words(known.losses[loss]) for loss in ('kd', 'topology'))
    return [
        'topology = dict(',
        f'    _base_.losses.topology, {cloud}{switch}{topology}',
        ')',
        f'losses = dict(kd={f"dict(_base_.losses.kd{kd})" if kd else "_base_.losses.kd"}, topology=topology)',
    ]


def check_file(name: str, file: str) -> None:
    """Refuse a loss that has no file.

    Args:
        name (str): Of the loss, as the user gave it.
        file (str): Of ``configs/_base_/losses``, without its ending.

    Raises:
        ValueError: If there is no such file.
    """
    if not (LOSSES / f'{file}.py').is_file():
        known = sorted(path.stem for path in LOSSES.glob('*.py'))
        raise ValueError(f"there is no loss '{name}': name exact, or one of {', '.join(known)}")
