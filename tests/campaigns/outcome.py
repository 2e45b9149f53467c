"""All that a run leaves for a user, and in what two of them differ."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from topkd.utils.checkpoint import load_file

# logs of single starts, what MMEngine's processes hand each other, and what differs between any two runs: times, and names that hold times
LOGS = re.compile(
    r'(^|/)(\d{8}_\d{6}(\.py)?|vis_data|\.dist_test)(/|$)|\.log$|(^|/)\.lock$|(^|/)log\.txt$|work/config\.py$'
)
TIMES = re.compile(r'(^|/)(time|data_time|memory)$')
META = ('time', 'experiment_name', 'cfg')
# what a checkpoint's message hub holds for those who go on from it; the rest says where and when it ran
INFOS = re.compile(r'best_score|results$|keep_ckpt_ids|outdated_ckpt|best_ckpt|last_ckpt|teacher/')


def outcome(folder: Path) -> dict[str, Any]:
    """Read the files of a run.

    Args:
        folder (Path): Where it ran.

    Returns:
        dict: Content by relative path.
    """
    found = {}
    for path in sorted(folder.rglob('*')):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not LOGS.search(name):
            found[name] = _content(path)
    return found


def differences(left: Any, right: Any, place: str = '') -> list[str]:
    """List the places at which two outcomes differ, bit by bit."""
    if type(left) is not type(right):
        return [f'{place}: {type(left).__name__} and {type(right).__name__}']
    if isinstance(left, dict):
        missing = [f'{place}/{key}: {"missing" if key in left else "left over"}' for key in left.keys() ^ right.keys()]
        both = [key for key in left if key in right]
        return sorted(missing) + [line for key in both for line in differences(left[key], right[key], f'{place}/{key}')]
    if isinstance(left, (list, tuple)) and len(left) == len(right):
        return [line for index, pair in enumerate(zip(left, right)) for line in differences(*pair, f'{place}/{index}')]
    if isinstance(left, torch.Tensor):
        same = left.dtype == right.dtype and left.shape == right.shape and _bits(left) == _bits(right)
    else:
        same = left == right or (left != left and right != right)
    return [] if same else [f'{place}: {_short(left)} and {_short(right)}']


def _content(path: Path) -> Any:
    if path.suffix == '.pth':
        return _checkpoint(load_file(str(path)))
    if path.name == 'last_checkpoint':
        return Path(path.read_text()).name
    return json.loads(path.read_text()) if path.suffix == '.json' else path.read_bytes()


def _checkpoint(content: dict) -> dict:
    content = dict(content)
    content['meta'] = {key: value for key, value in content.get('meta', {}).items() if key not in META}
    hub = content.pop('message_hub', {})
    # a validation that is made up for stands in the hub's history a second time
    content['scalars'] = {
        key: _history(value)
        for key, value in hub.get('log_scalars', {}).items()
        if not TIMES.search(key) and not key.startswith('val/')
    }
    content['infos'] = {
        key: Path(value).name if key.endswith('_ckpt') and isinstance(value, str) else value
        for key, value in hub.get('runtime_info', {}).items()
        if INFOS.match(key)
    }
    return content


def _history(buffer: HistoryBuffer) -> list:
    values, counts = buffer.data
    return [np.asarray(values).tolist(), np.asarray(counts).tolist()]


def _bits(tensor: torch.Tensor) -> bytes:
    return tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b''


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f'{text[:77]}...'
