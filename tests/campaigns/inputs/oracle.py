"""What a run that was given a malformed input may end with: the right result, or one sentence."""

import json
import math
import re
from pathlib import Path

import torch

from topkd.artifacts.integrity import record
from topkd.utils.checkpoint import load_file

FEWEST_WORDS = 6
# what tells that something was expected, and that it did not come
CONTRAST = re.compile(
    r'\b(must|expect(s|ed)?|needs?|needed|cannot|does not|do not|has no|holds?|lacks?|unknown|missing|got|is no|no|not|'
    r'fails|required|invalid|unrecognized|refuses|differ|nobody|wrong|more than|too|already|full|end|unavailable|only|was|damaged|of a cluster)\b'
)


def complaint(code: int, output: str, hung: bool) -> str | None:
    """Say what is wrong with the end of a run that did not succeed, None if it told the user what to do.

    Args:
        code (int): Exit code, not 0.
        output (str): All that it printed.
        hung (bool): Whether it had to be ended from outside.
    """
    if hung:
        return 'hung'
    if code < 0:
        return f'ended by signal {-code}'
    if 'Traceback (most recent call last)' in output:
        return f'traceback, at last: {_last(output)}'
    errors = [line for line in output.splitlines() if re.match(r'(\S+\.py: )?error: ', line)]
    if len(errors) != 1:
        return f'{len(errors)} error lines, at last: {_last(output)}'
    words = re.sub(r'^(\S+\.py: )?error: ', '', errors[0]).removesuffix(' [TOPKD_DEBUG=1 shows where]')
    if len(words.split()) < FEWEST_WORDS or not CONTRAST.search(words):
        return f'vague: {words}'
    return None


def empty_success(tool: str, folder: Path) -> str | None:
    """Say what a run that ended with exit code 0 did not do, None if its result is there and makes sense."""
    if tool == 'train.py':
        # a work directory of another name may have been asked for
        results = list(folder.rglob('results.json'))
        checkpoints = [*folder.rglob('epoch_*.pth'), *folder.rglob('iter_*.pth')]
        if not checkpoints:
            return 'no checkpoint'
        weights = load_file(str(checkpoints[0]))['state_dict']
        if not all(tensor.isfinite().all() for tensor in weights.values() if torch.is_tensor(tensor)):
            return 'weights that are not finite'
        if results and not _finite(json.loads(results[0].read_text())):
            return 'results that are not finite'
    if tool == 'gen_pi.py':
        manifests = [json.loads(path.read_text()) for path in folder.glob('work_dirs/ripsnet/*/manifest.json')]
        if not any(manifest.get('complete') for manifest in manifests):
            return 'no complete artifact'
        for path in folder.glob('work_dirs/ripsnet/*/manifest.json'):
            for name, recorded in json.loads(path.read_text()).get('files', {}).items():
                if record(path.with_name(name)) != recorded:
                    return f'{name} is not what its manifest says'
    if tool == 'train_ripsnet.py' and not list(folder.glob('work_dirs/ripsnet/*/ripsnet.pth')):
        return 'no RipsNet'
    return None


def _finite(content: object) -> bool:
    if isinstance(content, dict):
        return all(map(_finite, content.values()))
    return not isinstance(content, float) or math.isfinite(content)


def _last(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1][:300] if lines else 'nothing was printed'
