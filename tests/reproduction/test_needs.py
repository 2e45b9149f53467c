"""What a plan needs is said before its first job starts."""

import pytest
import torch
from reproduction_small import CONFIGS, DIGITS

from topkd.reproduction.cohorts import together
from topkd.reproduction.needs import check_plan, missing_from
from topkd.reproduction.planner import Planner
from topkd.reproduction.tables import TABLES


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    """Work in an empty folder on a machine without a network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    for module in ('topkd.preflight.networks', 'topkd.datasets.cifar100'):
        monkeypatch.setattr(f'{module}.is_reachable', lambda *args: False)


def plan(tmp_path, table: str, pairs: list[str], **options):
    made = Planner(CONFIGS, tmp_path / 'work', (0, 1), options=options).plan(TABLES[table], pairs)
    return together(made, tmp_path / 'work')


def test_what_a_plan_makes_itself_is_not_missing(tmp_path):
    check_plan(plan(tmp_path, 'table6', [DIGITS]))


def test_probes_of_students_that_are_trained_before_need_their_data_alone(tmp_path):
    problems = missing_from(plan(tmp_path, 'table10', [DIGITS])).problems
    assert problems and all('data/' in problem for problem in problems)


def test_everything_is_listed_once_for_all_pairs_and_seeds(tmp_path):
    pairs = ['resnet56-resnet20_cifar100', 'vgg13-vgg8_cifar100', DIGITS]
    with pytest.raises(ValueError) as error:
        check_plan(plan(tmp_path, 'table6', pairs, **{'ripsnet.max_epochs': 0.5}))
    lines = [line.strip() for line in str(error.value).splitlines() if line.strip()]
    assert lines[0] == '2 things are missing or wrong, to be mended in this order:'
    assert lines[1].startswith('1. expected the files train, test and meta of CIFAR-100')
    assert lines[2].startswith('2. ripsnet.max_epochs must be a whole number, 1 or more, got 0.5')
