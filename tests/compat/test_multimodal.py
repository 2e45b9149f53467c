"""mmpretrain is imported beside a transformers that its multimodal models do not know."""

import importlib.metadata
import subprocess
import sys
from importlib.machinery import PathFinder

import mmpretrain.utils
import pytest

from topkd.compat import leave_out_multimodal
from topkd.compat.multimodal import SWITCH, MultimodalSwitchFinder, transformers_is_unknown


@pytest.mark.parametrize('installed, unknown', [('5.24.0', True), ('11.0', True), ('4.57.1', False)])
def test_series_of_transformers(monkeypatch, installed, unknown):
    monkeypatch.setattr('topkd.compat.multimodal.version', lambda name: installed)
    assert transformers_is_unknown() == unknown


def test_no_transformers(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr('topkd.compat.multimodal.version', missing)
    assert not transformers_is_unknown()


def test_finder_answers_for_one_module_once():
    finder = MultimodalSwitchFinder()
    assert finder.find_spec('mmpretrain.utils', mmpretrain.utils.__path__) is None
    found = finder.find_spec(SWITCH, mmpretrain.utils.__path__)
    assert found.origin == PathFinder.find_spec(SWITCH, mmpretrain.utils.__path__).origin
    leave_out_multimodal()
    assert sum(isinstance(finder, MultimodalSwitchFinder) for finder in sys.meta_path) == 1


@pytest.fixture
def transformers(tmp_path):
    """Make a folder with an empty transformers of a version that mmpretrain does not know."""
    (tmp_path / 'transformers').mkdir()
    (tmp_path / 'transformers' / '__init__.py').touch()
    info = tmp_path / 'transformers-5.0.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: transformers\nVersion: 5.0.0\n')
    return tmp_path


def test_classifiers_are_imported(transformers):
    code = 'import topkd, mmpretrain.models; print(mmpretrain.models.TimmClassifier.__name__)'
    code = f'import sys; sys.path.insert(0, {str(transformers)!r}); {code}'
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert ended.stdout.splitlines()[-1:] == ['TimmClassifier'], ended.stderr
