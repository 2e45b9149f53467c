"""How far a running job is, from its log."""

import re
from pathlib import Path

TAIL = 16_384  # bytes of a log that are looked at
# MMEngine's own line of a training, and that of topkd.ProgressLineHook
TRAINING = re.compile(r'Epoch\(train\)\s+\[(\d+)\]\[\s*(\d+)/(\d+)\].*?eta: ((?:\d+ days?, )?[\d:]+)')
LEFT = re.compile(r'(?:(\d+) days?, )?(\d+):(\d+):(\d+) left$')
LINE = re.compile(r'^.+: (epoch \d+ of at most \d+, .+)$')


def progress(log: Path) -> str | None:
    """Return what a job's log last said of its progress, None if nothing yet.

    Args:
        log (Path): What the job has said so far; it may not exist.

    Example:
        >>> from tempfile import mkdtemp
        >>> log = Path(mkdtemp(), 'log.txt')
        >>> _ = log.write_text(
        ...     '11/25 10:26 - mmengine - INFO - Epoch(train)  [3][22/22]  lr: 5e-2  eta: 0:00:12  loss: 1'
        ... )
        >>> progress(log)
        'epoch 3, step 22 of 22, 0:00:12 left'
    """
    if not log.is_file():
        return None
    with open(log, 'rb') as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        lines = file.read().decode(errors='replace').splitlines()
    for line in reversed(lines):
        training, own = TRAINING.search(line), LINE.match(line)
        if training:
            return 'epoch {}, step {} of {}, {} left'.format(*training.groups())
        if own:
            return own[1]
    return None


def told_seconds(text: str) -> float | None:
    """Return the seconds that a text of :func:`progress` says are left, None if it says nothing of them.

    Examples:
        >>> told_seconds('epoch 3, step 22 of 22, 1 day, 1:00:12 left')
        90012.0
        >>> told_seconds('epoch 3 of at most 9, MSE 0.1') is None
        True
    """
    found = LEFT.search(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((24 * days + hours) * 60 + minutes) * 60 + seconds)
