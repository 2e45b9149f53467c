"""How a run or an artifact differs from the config that a plan has for it."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmengine.config import Config

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.artifacts.settings import CLOUDS, RIPSNET
from topkd.utils.files import read_json, write_json

FILE = 'planned.json'
# what a run may differ in without another result: where and how it runs, and what it writes
HARMLESS = re.compile(
    r'(work_dir|launcher|resume|load_from|log_level|experiment_name|visualizer|vis_backends|env_cfg|'
    r'log_processor|default_hooks\.(logger|timer|visualization)|distillation_hooks|teacher|losses|pair)(\.|$)'
    r'|.*\.(num_workers|persistent_workers|pin_memory|prefetch_factor)$'
)


def flat(content: Any, prefix: str = '') -> dict[str, Any]:
    """Return a config's values by dotted path, tuples as lists."""
    items: Iterable[tuple[Any, Any]]
    if isinstance(content, dict):
        items = content.items()
    elif isinstance(content, (list, tuple)) and any(isinstance(value, dict) for value in content):
        items = enumerate(content)
    else:
        return {prefix[:-1]: list(content) if isinstance(content, tuple) else content}
    return {path: value for key, node in items for path, value in flat(node, f'{prefix}{key}.').items()}


def decisive(cfg: Config) -> dict[str, Any]:
    """Return the values of a config that decide its result."""
    values = {path: value for path, value in flat(cfg.to_dict()).items() if not HARMLESS.match(path)}
    # settings of artifacts: the artifact is compared, see artifact_differences
    return json.loads(
        json.dumps(
            {path: value for path, value in values.items() if not re.match(r'(clouds|ripsnet)\.', path)}, default=str
        )
    )


def write_planned(cfg: Config, folder: Path) -> None:
    """Write what a run was planned with; MMEngine writes over the config itself what it made of it."""
    write_json(decisive(cfg), folder / FILE)


def run_differences(cfg: Config, folder: Path) -> list[str]:
    """List how a folder's run differs from a config, 'entry: what it has, not what is wanted'; none without a run."""
    path = folder / FILE
    return _differences(read_json(path), decisive(cfg)) if path.is_file() else []


def artifact_differences(cfg: Config, artifact: RipsNetArtifact) -> list[str]:
    """List how an artifact differs from what a config asks for; a file that tells nothing is taken as it is."""
    found = artifact.settings(RIPSNET.defaults['operators'])
    wanted = flat(dict(clouds=CLOUDS.filled(cfg.get('clouds')), ripsnet=RIPSNET.filled(cfg.get('ripsnet'))))
    return _differences(found, {path: wanted.get(path) for path in found})


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    missing = 'nothing'
    return [
        f'{path}: {found.get(path, missing)!r}, not {wanted.get(path, missing)!r}'
        for path in sorted({*found, *wanted})
        if found.get(path, missing) != wanted.get(path, missing)
    ]
