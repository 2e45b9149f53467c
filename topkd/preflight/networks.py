"""Are the checkpoints there that networks start from?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from topkd.models.teacher import OWN, check_weights
from topkd.preflight.findings import Findings
from topkd.utils.addresses import cached_file, is_reachable, web_address
from topkd.utils.config import read_config
from topkd.utils.error_context import entries
from topkd.utils.files import check_file

# mmpretrain's classifiers of other libraries, whose models have an init_weights of their own that MMEngine calls
LOSING = ('TimmClassifier', 'HuggingFaceClassifier')


def check_teacher(teacher: Any, findings: Findings) -> None:
    """Look for the teacher's checkpoint, and for the config that its network is read from.

    Args:
        teacher (Any): Entry ``model.teacher`` of a config.
        findings (Findings): Told what is missing.
    """
    if not isinstance(teacher, Mapping):
        return
    name, checkpoint = teacher.get('name', 'teacher'), teacher.get('checkpoint')
    if isinstance(teacher.get('config'), str):
        findings.look(read_config, teacher['config'])
    if 'checkpoint' not in teacher and isinstance(teacher.get('model'), Mapping):
        findings.look(check_weights, name, OWN, teacher['model'])
    if isinstance(checkpoint, str):
        baseline = Path('configs', 'baselines', f'{name}.py')
        train = f', or train it by\n     python tools/train.py {baseline}' if baseline.is_file() else ''
        _look(findings, checkpoint, f"teacher '{name}'", 'model.teacher.checkpoint', train)


def check_pretrained(cfg: Config, findings: Findings) -> None:
    """Look for the checkpoints that parts of networks are initialized from, those of a teacher apart."""
    for path, node in entries(cfg.get('model')):
        init = node.get('init_cfg') if isinstance(node, dict) and not path.startswith('teacher') else None
        if isinstance(init, dict) and isinstance(init.get('checkpoint'), str):
            _look(findings, init['checkpoint'], f"'model.{path}'", f'model.{path}.init_cfg.checkpoint')
        if isinstance(node, dict) and not path.startswith('teacher') and node.get('pretrained') is True:
            findings.look(_check_kept, f'model.{path}'.rstrip('.'), node.get('type'))


def check_featurizer(featurizer: Any, findings: Findings) -> None:
    """Look for the network that a linear probe looks at: its config and its checkpoint."""
    if not isinstance(featurizer, Mapping):
        return
    config, checkpoint = featurizer.get('config'), featurizer.get('checkpoint')
    if isinstance(config, str) and Path(config) not in findings.made:
        findings.look(read_config, config)
    if isinstance(checkpoint, str):
        entry = '--cfg-options model.featurizer.checkpoint=... model.featurizer.config=...'
        _look(findings, checkpoint, 'the featurizer', entry)


def check_start(cfg: Config, findings: Findings) -> None:
    """Look for the checkpoint that a whole training starts from."""
    if isinstance(cfg.get('load_from'), str):
        entry = '--resume' if cfg.get('resume') else 'load_from'
        _look(findings, cfg.load_from, entry, entry)


def check_cloud_students(cfg: Config, findings: Findings) -> None:
    """Look for the checkpoints of students that make clouds beside the teacher."""
    students = (cfg.get('clouds') or {}).get('students')
    for checkpoint in students if isinstance(students, (list, tuple)) else ():
        _look(findings, str(checkpoint), 'a student', 'clouds.students')


def check_checkpoint(checkpoint: str, owner: str, entry: str, otherwise: str = '') -> None:
    """Refuse a checkpoint that is not there and cannot be downloaded.

    Args:
        checkpoint (str): A path, or an address.
        owner (str): Whose it is, for the message.
        entry (str): Where the config names it.
        otherwise (str): What else the user can do. Defaults to ''.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If its address has an unknown scheme.
    """
    if '://' not in checkpoint:
        check_file(checkpoint, f'{owner}: checkpoint', f'put the file there, name another by {entry}{otherwise}')
        return
    address, file = web_address(checkpoint), cached_file(checkpoint)
    if file.is_file():
        return
    if not is_reachable(checkpoint):
        raise FileNotFoundError(
            f"{owner}: checkpoint '{checkpoint}' was not downloaded yet and its host does not answer: fetch "
            f"{'it' if address == checkpoint else address} where a network allows and put it at '{file}', or name a "
            f'local file by {entry}{otherwise}'
        )
    print_log(f"{owner}: '{address}' will be downloaded to '{file}'", 'current')


def _look(findings: Findings, checkpoint: str, *arguments: str) -> None:
    if Path(checkpoint) not in findings.made:
        findings.look(check_checkpoint, checkpoint, *arguments)


def _check_kept(place: str, kind: Any) -> None:
    """Refuse a student whose pretrained weights are drawn anew when the training begins."""
    if isinstance(kind, str) and kind.removeprefix('mmpretrain.') in LOSING:
        raise ValueError(
            f'{place} would lose its pretrained weights, as MMEngine has {kind} initialize its model anew: write '
            f"type='topkd.{kind.removeprefix('mmpretrain.')}', which keeps them"
        )
