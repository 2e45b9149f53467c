"""The tool on logs written by hand: its table, its file, its figure and its errors."""

import json


def write_run(folder, **series):
    """Write a training of two epochs of two steps; a series that is None was not logged."""
    path = folder / '20260101_000000' / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    lines = [
        dict({key: values[step - 1] for key, values in series.items()}, epoch=(step + 1) // 2, iter=step, step=step)
        for step in range(1, 5)
    ]
    path.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    return folder


def test_table_file_and_figure(call, tmp_path):
    exact = write_run(
        tmp_path / 'exact',
        gradient_ratio_topology=[1e-6, 3e-6, 0.5, 0.25],
        outside_topology=[1.0, 0.9, 0.5, 0.1],
        share_topology=[0.1] * 4,
    )
    ripsnet = write_run(tmp_path / 'b', gradient_ratio_topology=[0.01, 0.03, 0.05, 0.07])
    code, out, err = call('analysis/gradient_ratio.py', f'exact image={exact}', ripsnet, '--out', 'found')
    assert code == 0, err
    rows = [line.split() for line in out.splitlines()]
    assert ['exact', 'image', '1e-06', '2e-06', '0.375', '0.25', '4', '4'] in rows
    assert ['b', '0.01', '0.02', '0.06', '0.07', '4', '4'] in rows
    assert 'share' not in out and (tmp_path / 'found' / 'gradient_ratio.png').stat().st_size > 10_000
    found = json.loads((tmp_path / 'found' / 'gradient_ratio.json').read_text())
    assert found['runs'] == {'exact image': str(exact), 'b': str(ripsnet)}
    assert found['summaries']['outside'] == {
        'exact image': dict(first=1.0, first_epoch=0.95, last_epoch=0.3, last=0.1, first_step=1, last_step=4, logged=4)
    }
    assert found['histories']['gradient_ratio']['b'] == dict(
        steps=[1, 2, 3, 4], values=[0.01, 0.03, 0.05, 0.07], epoch_length=2
    )


def test_another_quantity_and_the_default_folder(call, tmp_path):
    run = write_run(tmp_path / 'run', share_roi=[0.1, 0.2, 0.3, 0.4])
    code, out, err = call('analysis/gradient_ratio.py', run, '--loss', 'roi', '--quantities', 'share', 'gradient_ratio')
    assert code == 0 and (run / 'analysis' / 'share.json').is_file() and 'gradient_ratio ' not in out


def test_a_cohort_gives_a_curve_for_every_member_with_the_loss(call, tmp_path):
    ratios = {f'{member}/gradient_ratio_topology': [pull] * 4 for member, pull in dict(RipsNet=0.01, exact=0.5).items()}
    cohort = write_run(tmp_path / 'cohort', **ratios, **{'KD/loss': [2.0] * 4})
    single = write_run(tmp_path / 'single', gradient_ratio_topology=[0.25] * 4)
    code, out, err = call('analysis/gradient_ratio.py', cohort, single, '--out', 'found')
    assert code == 0, err
    found = json.loads((tmp_path / 'found' / 'gradient_ratio.json').read_text())
    medians = {name: run['last_epoch'] for name, run in found['summaries']['gradient_ratio'].items()}
    assert medians == {'cohort/RipsNet': 0.01, 'cohort/exact': 0.5, 'single': 0.25}
    code, out, err = call('analysis/gradient_ratio.py', cohort, '--loss', 'kd')
    assert code == 1 and 'RipsNet/gradient_ratio_topology, exact/gradient_ratio_topology' in err


def test_errors_are_one_sentence(call, tmp_path):
    run = write_run(tmp_path / 'run', gradient_ratio_boxes=[0.1] * 4)
    for arguments, message in (
        ([run], "run 'run' did not log gradient_ratio_topology (it logged: gradient_ratio_boxes): name distillations"),
        ([f'a={tmp_path}'], 'holds no <timestamp>/vis_data/scalars.json'),
        (['nowhere'], "run 'nowhere' does not exist"),
    ):
        code, out, err = call('analysis/gradient_ratio.py', *arguments)
        assert code == 1 and message in err and 'Traceback' not in err
