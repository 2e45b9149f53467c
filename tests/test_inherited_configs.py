"""Every shipped config can be inherited by the name of the package, and is then what it is by its path."""

import ast
import re
from pathlib import Path

import pytest
from mmengine.registry import MODELS, init_default_scope

import topkd
from topkd.utils.config import read_config

CONFIGS = Path(topkd.__path__[0]) / '.mim' / 'configs'
NAMES = sorted(
    str(path.relative_to(CONFIGS)) for path in CONFIGS.glob('**/*.py') if path.relative_to(CONFIGS).parts[0] != '_base_'
)
FOLDERS = sorted({name.split('/')[0] for name in NAMES})


def typed(node, found=None) -> list[str]:
    """List all types below a node of a config with their scopes."""
    found = [] if found is None else found
    if isinstance(node, dict):
        if isinstance(node.get('type'), str):
            found.append((node['type'], node.get('_scope_')))
        for child in node.values():
            typed(child, found)
    elif isinstance(node, (list, tuple)):
        for child in node:
            typed(child, found)
    return found


def inherit(name: str, folder: Path):
    """Read a config that says nothing but that it inherits a shipped one."""
    (folder / 'leaf.py').write_text(f"_base_ = ['topkd::{name}']\n")
    return read_config(str(folder / 'leaf.py'))


@pytest.mark.parametrize('name', NAMES)
def test_names_of_host_toolboxes_are_left_to_the_default_scope(name, tmp_path):
    found = typed(inherit(name, tmp_path)._cfg_dict)
    assert found and not [kind for kind, scope in found if scope == 'topkd']


@pytest.mark.parametrize('name', [next(name for name in NAMES if name.startswith(folder)) for folder in FOLDERS])
def test_inherited_is_the_same(name, tmp_path):
    inherited, direct = inherit(name, tmp_path), read_config(str(CONFIGS / name))
    # a package that is installed as a copy has its configs elsewhere
    texts = [re.sub(r"'[^']*/\.mim/configs/", "'", str(cfg.to_dict())) for cfg in (inherited, direct)]
    assert texts[0] == texts[1]
    assert typed(inherited._cfg_dict) == typed(direct._cfg_dict)


@pytest.mark.parametrize('name', ['baselines/resnet20_cifar100.py', 'baselines/faster-rcnn_r18_coco.py'])
def test_inherited_model_is_built(name, tmp_path):
    cfg = inherit(name, tmp_path)
    init_default_scope(cfg.default_scope)
    cfg.merge_from_dict({'model.backbone.init_cfg': None})
    assert sum(parameter.numel() for parameter in MODELS.build(cfg.model).parameters()) > 0


def test_configs_import_nothing():
    """mmengine 0.10 takes a config in a virtual environment that imports anything for one of its lazy kind."""
    for path in CONFIGS.rglob('*.py'):
        nodes = ast.walk(ast.parse(path.read_text()))
        assert not [node.lineno for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))], path
