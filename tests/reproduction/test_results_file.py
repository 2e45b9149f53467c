"""Results of trainings that someone has damaged."""

import json
from pathlib import Path

import pytest

from topkd.reproduction.results_file import read_results

FIGURES = dict(top1=5.0, epoch=3, iter=12)
WHOLE = dict(seed=0, last=FIGURES, best=FIGURES)


def write(folder: Path, content: dict) -> Path:
    (folder / 'results.json').write_text(json.dumps(content))
    return folder


def test_whole_results(tmp_path):
    assert read_results(write(tmp_path, WHOLE), 'seed') == WHOLE
    of_members = dict(seed=0, members=dict(KD=WHOLE))
    assert read_results(write(tmp_path, of_members)) == of_members


@pytest.mark.parametrize(
    'content',
    [
        {},
        dict(last=FIGURES),
        dict(last=FIGURES, best=3),
        dict(last=FIGURES, best=dict(top1=1.0)),
        dict(last=dict(FIGURES, top1='high'), best=FIGURES),
        dict(members=[WHOLE]),
        dict(members=dict(KD=3)),
    ],
)
def test_damaged_results(tmp_path, content):
    with pytest.raises(ValueError, match="results.json' is damaged .*: delete it, and give the command again that"):
        read_results(write(tmp_path, content))


def test_results_without_what_is_needed(tmp_path):
    with pytest.raises(ValueError, match=r"results.json' is damaged \(it lacks monitor\)"):
        read_results(write(tmp_path, WHOLE), 'seed', 'monitor')
