"""The short form of the campaign of malformed inputs, and its judge."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from .inputs.formats import GENERAL, damages_of
from .inputs.mutations import READ, mutations, parser_of
from .inputs.oracle import complaint
from .inputs.values import bad_values, settings_of
from .short import campaign

ROOT = Path(__file__).resolve().parents[2]


def test_malformed_inputs_end_in_one_sentence(tmp_path):
    counts = campaign(tmp_path, 'inputs', '--runs', '24', '--seed', '11')
    assert counts['malformed inputs'] >= 20 and counts['malformed inputs refused'] >= 10


@pytest.mark.parametrize(
    'code, output, expected',
    [
        (1, 'error: tau must be positive, got 0: correct it in the config', None),
        (2, "usage: train.py\ntrain.py: error: argument --x: expected one of a, b, got 'c'", None),
        (1, 'error: spec', 'vague: spec'),
        (1, 'error: list index is somewhere out of its range', 'vague: list index is somewhere out of its range'),
        (1, 'Traceback (most recent call last):\nKeyError: 1', 'traceback, at last: KeyError: 1'),
        (1, 'killed', '0 error lines, at last: killed'),
        (-11, '', 'ended by signal 11'),
    ],
)
def test_judge(code, output, expected):
    assert complaint(code, output, hung=False) == expected


def test_a_run_that_hangs_is_a_problem():
    assert complaint(1, '', hung=True) == 'hung'


def test_settings_come_from_signatures():
    cfg = Config(dict(model=dict(type='topkd.CIFARResNet', depth=8), default_scope='mmpretrain'))
    places = {place: kind for _, _, kind, place in settings_of(cfg)}
    assert places['model.depth'] is int and places['ripsnet.lr'] is float and 'model.out_indices' in places
    assert 2.5 in bad_values('depth', int) and 10**9 not in bad_values('max_epochs', int)


def test_every_format_has_damages_of_its_own():
    for name in ('a.pth', 'a.npy', 'a.json', 'a.py', 'a.xml', 'a.yaml', 'train', 'meta', 'scalars.json'):
        assert len(damages_of(Path(name))) > len(GENERAL)


def test_malformed_inputs_follow_from_the_seed(tmp_path):
    calls = {'diagram': ('analysis/diagram.py', ['cloud.npy', '--out', 'figures'])}

    def fresh() -> Path:
        shutil.rmtree(tmp_path / 'ground', ignore_errors=True)
        (tmp_path / 'ground').mkdir()
        np.save(tmp_path / 'ground' / 'cloud.npy', np.eye(4))
        return tmp_path / 'ground'

    drawn = []
    for _ in range(2):
        make = mutations(random.Random(3), calls)
        made = [next(make)(fresh()) for _ in range(6)]
        drawn.append([mutation.what for mutation in made if mutation is not None])
    assert drawn[0] == drawn[1] and len(set(drawn[0])) > 1


def test_damages_change_a_file(tmp_path):
    for name, damage, _ in GENERAL:
        path = tmp_path / 'file'
        path.write_bytes(bytes(range(256)))
        damage(path, random.Random(0))
        assert not path.is_file() or path.read_bytes() != bytes(range(256)), name
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


def test_arguments_come_from_the_tools_own_parser():
    options = {option for action in parser_of('train.py')._actions for option in action.option_strings}
    assert {'--resume', '--amp', '--cfg-options', '--work-dir'} <= options and set(READ) >= {'plain', 'kd'}
