"""Find the checkpoint that a killed training goes on from.

MMEngine takes the newest file; one that a kill left damaged has to be passed over.
"""

import re
import zipfile
from pathlib import Path

from mmengine.logging import print_log


def newest_checkpoint(work_dir: str | Path) -> Path | None:
    """Return the newest checkpoint of a training that is whole.

    A kill may leave a checkpoint that is cut short, or a file ``last_checkpoint`` that is empty; the files themselves
    tell which of them can be read.

    Args:
        work_dir (str | Path): Folder of the training.

    Returns:
        Path | None: ``epoch_<N>.pth`` or ``iter_<N>.pth`` with the greatest N; None if there is none.
    """
    numbered = [(int(match[1]), path) for path in Path(work_dir).glob('*.pth') if (match := _numbered(path.name))]
    for _, path in sorted(numbered, reverse=True):
        if zipfile.is_zipfile(path):  # the table of contents stands at the end
            return path
        print_log(f"'{path}' is cut short: the training goes on from the checkpoint before it", 'current', 30)
    return None


def _numbered(name: str) -> re.Match | None:
    return re.fullmatch(r'(?:epoch|iter)_(\d+)\.pth', name)
