"""A detector that finds no box has average precision 0, alone and in a cohort."""

import json
from types import SimpleNamespace

import pytest
from mmengine.logging import MessageHub

from topkd.hooks import result_hook
from topkd.hooks.result_hook import ResultHook

AP = 'coco/bbox_mAP'


@pytest.fixture
def validate(tmp_path, monkeypatch):
    """Return a function that ends a validation, and what results.json says after it."""

    def call(hook: ResultHook, metrics: dict, epoch: int = 1, cohort=None) -> dict:
        monkeypatch.setattr(result_hook, 'cohort_of', lambda runner: cohort)
        runner = SimpleNamespace(
            epoch=epoch, iter=2 * epoch, seed=0, work_dir=str(tmp_path), message_hub=MessageHub('results')
        )
        hook.after_val_epoch(runner, metrics)
        path = tmp_path / 'results.json'
        return json.loads(path.read_text()) if path.is_file() else {}

    return call


def test_nothing_found_is_zero_and_no_best_one(validate):
    hook = ResultHook(monitor=AP)
    assert validate(hook, {})['last'] == {AP: 0.0, 'epoch': 1, 'iter': 2}
    found = validate(hook, {AP: 0.25, 'coco/bbox_mAP_50': 0.5}, epoch=2)
    assert found['last'][AP] == found['best'][AP] == 0.25
    again = validate(hook, {}, epoch=3)
    assert again['last'] == {AP: 0.0, 'epoch': 3, 'iter': 6} and again['best']['epoch'] == 2


def test_members_that_are_stopped_keep_what_they_had(validate):
    cohort = SimpleNamespace(members=['plain', 'KD', 'off'], inactive=['off'])
    found = validate(ResultHook(monitor=AP), {f'KD/{AP}': 0.5}, cohort=cohort)['members']
    assert {name: values['last'][AP] for name, values in found.items()} == dict(plain=0.0, KD=0.5)


def test_metrics_of_classifiers_are_not_made_up(validate):
    assert validate(ResultHook(), {}) == {}


def test_a_metric_that_nothing_makes(validate):
    with pytest.raises(
        ValueError, match=r"monitors the metric 'acc', which no evaluator makes: name one of accuracy/top1"
    ):
        validate(ResultHook(monitor='acc'), {'accuracy/top1': 50.0})
