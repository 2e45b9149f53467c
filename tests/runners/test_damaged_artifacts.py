"""An artifact that was damaged is made again, and says so; nothing is trained on it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import topkd.artifacts.unfinished_clouds as module
from topkd.runners import PersistenceImageRunner, RipsNetRunner


@pytest.fixture
def cfg(small_config, teacher_checkpoint):
    """Return the config of few clouds."""
    return small_config(**{'model.teacher.checkpoint': teacher_checkpoint, 'clouds.num_clouds': 12})


@pytest.fixture
def folder(cfg):
    """Make the artifact."""
    return Path(PersistenceImageRunner.from_cfg(cfg).run())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != '.lock'}


def flip_last_byte(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 40)


def by_columns(path: Path) -> None:
    np.save(path, np.asfortranarray(np.load(path)))


def shorter(path: Path) -> None:
    np.save(path, np.load(path)[:-2])


def not_a_number(path: Path) -> None:
    array = np.load(path)
    array[3].flat[0] = np.nan
    np.save(path, array)


DAMAGES = {
    'missing': (Path.unlink, 'it is missing'),
    'changed': (flip_last_byte, 'its content is not what tools/gen_pi.py wrote'),
    'cut': (cut, 'is cut short: expected'),
    'by columns': (by_columns, 'its numbers are not stored row by row'),
    'shorter': (shorter, 'it must hold 12 x '),
    'not a number': (not_a_number, 'its content is not what'),
}


@pytest.mark.parametrize('name', ['clouds.npy', 'images.npy'])
@pytest.mark.parametrize('damage', DAMAGES)
def test_a_damaged_array_is_refused_and_made_again(cfg, folder, monkeypatch, name, damage):
    whole = contents(folder)
    change, words = DAMAGES[damage]
    change(folder / name)
    with pytest.raises(ValueError, match='the artifact is damaged .*run tools/gen_pi.py CONFIG again, which makes'):
        RipsNetRunner.from_cfg(cfg).run()
    said = []
    monkeypatch.setattr(module, 'print_log', lambda line, *rest: said.append(line))
    PersistenceImageRunner.from_cfg(cfg).run()
    assert contents(folder) == whole
    assert len(said) == 1 and said[0].startswith(f"'{folder / name}' is made again: ") and words in said[0]


@pytest.mark.parametrize('content', [b'', b'{"request"', b'[]', None])
def test_a_damaged_manifest_means_everything_is_made_again(cfg, folder, content):
    whole = contents(folder)
    np.save(folder / 'clouds.npy', np.zeros_like(np.load(folder / 'clouds.npy')))  # of whatever config
    (folder / 'manifest.json').unlink() if content is None else (folder / 'manifest.json').write_bytes(content)
    PersistenceImageRunner.from_cfg(cfg).run()
    assert contents(folder) == whole


def test_clouds_without_checksums_are_still_looked_at(cfg, folder):
    manifest = json.loads((folder / 'manifest.json').read_text())
    del manifest['files'], manifest['sha256']
    (folder / 'manifest.json').write_text(json.dumps(manifest))
    flip_last_byte(folder / 'images.npy')
    PersistenceImageRunner.from_cfg(cfg).run()
    assert json.loads((folder / 'manifest.json').read_text()) == manifest
    not_a_number(folder / 'clouds.npy')
    with pytest.raises(
        ValueError, match=r"clouds.npy': row 3 holds numbers that are not finite\): run tools/gen_pi.py"
    ):
        RipsNetRunner.from_cfg(cfg).run()
