"""Scalars of trainings, from logs written by hand."""

import json
import os

import numpy as np
import pytest

from topkd.analysis.run_history.history import history_of, read_run, read_validations, summarize

KEY = 'gradient_ratio_topology'


def write_log(folder, start, records, tail=''):
    """Write a log as MMEngine does, one JSON object a line."""
    path = folder / start / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(json.dumps(record) + '\n' for record in records) + tail)


def record(step, value=None, length=4, **more):
    values = {} if value is None else {KEY: value}
    return dict(values, loss=1.0, epoch=(step - 1) // length + 1, iter=step, step=step, **more)


def test_one_start(tmp_path):
    write_log(
        tmp_path,
        '20260101_000000',
        [record(2, 0.5), record(4), dict(step=1, **{'accuracy/top1': 3.0}), record(6, 0.25)],
    )
    history = history_of(read_run(tmp_path), KEY)
    assert (
        history.steps.tolist() == [2, 6]
        and history.epochs.tolist() == [1, 2]
        and history.values.tolist() == [0.5, 0.25]
    )
    assert history.epoch_length == 4
    assert history.plain() == dict(steps=[2, 6], values=[0.5, 0.25], epoch_length=4)
    # one start by its own folder
    assert history_of(read_run(tmp_path / '20260101_000000'), KEY).values.tolist() == [0.5, 0.25]


def test_later_starts_win_from_their_first_step_on(tmp_path):
    write_log(tmp_path, '20260101_000000', [record(step, step / 10) for step in (2, 4, 6, 8)])
    write_log(tmp_path, '20260102_000000', [record(step, step / 100) for step in (6, 8, 10)])
    write_log(tmp_path, '20260103_000000', [dict(step=2, **{'accuracy/top1': 3.0})])  # a test: no training step
    history = history_of(read_run(tmp_path), KEY)
    assert history.steps.tolist() == [2, 4, 6, 8, 10]
    assert history.values.tolist() == [0.2, 0.4, 0.06, 0.08, 0.1]
    # trained anew: nothing of before is left
    write_log(tmp_path, '20260104_000000', [record(2, 7.0)])
    assert history_of(read_run(tmp_path), KEY).values.tolist() == [7.0]


def test_a_resumed_run_that_logs_at_other_steps(tmp_path):
    write_log(tmp_path, 'a', [record(step, 1.0) for step in (2, 4, 6, 8)])
    write_log(tmp_path, 'b', [record(step, 2.0) for step in (5, 9)])
    assert history_of(read_run(tmp_path), KEY).steps.tolist() == [2, 4, 5, 9]


def test_half_a_line_at_the_end_is_left_out_and_one_in_between_is_an_error(tmp_path):
    write_log(tmp_path, 'a', [record(2, 1.0)], tail='{"loss": 1.0, "ite')
    assert len(read_run(tmp_path)) == 1
    write_log(tmp_path, 'b', [], tail='{"loss": 1.\n' + json.dumps(record(4)) + '\n')
    with pytest.raises(ValueError, match=r"b/vis_data/scalars.json' is damaged in line 1"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(step='x'), "step must be a whole number from 0, got 'x'"),
        (dict(step=None), 'step must be a whole number from 0, got None'),
        (dict(step=-1), 'step must be a whole number from 0, got -1'),
        (dict(step=10**30), 'step must be a whole number from 0, got 10+'),
        (dict(epoch=0.5), 'epoch must be a whole number from 0, got 0.5'),
        (dict(iter=True), 'iter must be a whole number from 0, got True'),
        ({KEY: []}, rf'{KEY} must be a number, got \[\]'),
        ({KEY: 10**30}, f'{KEY} must be a number, got 10+'),
    ],
)
def test_records_that_are_none(tmp_path, change, message):
    write_log(tmp_path, 'a', [dict(record(2, 1.0), **change), record(4, 1.0)])
    with pytest.raises(ValueError, match=rf"a/vis_data/scalars.json' is damaged in line 1 \({message}\): take that"):
        read_run(tmp_path)


def test_lines_that_are_none(tmp_path):
    write_log(tmp_path, 'a', [[1], record(4, 1.0)])
    with pytest.raises(ValueError, match=r'line 1 \(a dict with a step was expected\)'):
        read_run(tmp_path)
    (tmp_path / 'a/vis_data/scalars.json').write_bytes(b'\xff\xfe{}\n' + json.dumps(record(4)).encode())
    with pytest.raises(ValueError, match='damaged in line 1'):
        read_run(tmp_path)
    (tmp_path / 'a/vis_data/scalars.json').unlink()
    os.mkfifo(tmp_path / 'a/vis_data/scalars.json')
    with pytest.raises(FileNotFoundError, match='holds no <timestamp>/vis_data/scalars.json'):
        read_run(tmp_path)


def test_a_word_has_no_history(tmp_path):
    write_log(tmp_path, 'a', [record(2, 'low')])
    with pytest.raises(ValueError, match=f"the log of step 2 must hold a number as {KEY}, got 'low': take that line"):
        history_of(read_run(tmp_path), KEY)


def test_values_that_are_not_finite_are_left_out(tmp_path):
    write_log(tmp_path, 'a', [record(2, float('nan')), record(4, float('inf')), record(6, 0.5)])
    assert history_of(read_run(tmp_path), KEY).values.tolist() == [0.5]


def test_brackets_in_a_folder_are_no_pattern(tmp_path):
    write_log(tmp_path / 'run[1]', 'a', [record(2, 1.0)])
    assert len(read_run(tmp_path / 'run[1]')) == 1


def test_what_is_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no <timestamp>/vis_data/scalars.json: name the work directory'):
        read_run(tmp_path)
    write_log(tmp_path, 'a', [dict(step=1, **{'accuracy/top1': 3.0})])
    with pytest.raises(ValueError, match='hold no training step: name the work directory of a training that has begun'):
        read_run(tmp_path)


def test_summary_by_epochs(tmp_path):
    values = {1: 9.0, 2: 1.0, 3: 2.0, 4: 3.0, 5: 7.0, 9: 4.0, 10: 8.0, 12: 5.0}
    write_log(tmp_path, 'a', [record(step, value) for step, value in values.items()])
    assert summarize(history_of(read_run(tmp_path), KEY)) == dict(
        first=9.0, first_epoch=2.5, last_epoch=5.0, last=5.0, first_step=1, last_step=12, logged=8
    )


def test_summary_without_epochs(tmp_path):
    write_log(tmp_path, 'a', [{KEY: float(step), 'iter': step, 'step': step} for step in range(5, 105, 5)])
    history = history_of(read_run(tmp_path), KEY)
    assert history.epoch_length is None and not history.epochs.any()
    summary = summarize(history)
    assert summary['first_epoch'] == np.median([5, 10]) and summary['last_epoch'] == np.median([95, 100])


def test_validations_by_epoch_and_later_starts_win(tmp_path):
    assert read_validations(tmp_path) == {}
    write_log(tmp_path, '20260101_000000', [record(4), dict(step=1, top1=3.0), record(8), dict(step=2, top1=4.0)])
    write_log(tmp_path, '20260102_000000', [dict(step=2, top1=4.5), record(12), dict(step=3, top1=5.0)], '{"top1": 6')
    assert read_validations(tmp_path) == {1: dict(top1=3.0), 2: dict(top1=4.5), 3: dict(top1=5.0)}
