"""One picture and one TensorBoard run of all members of a cohort."""

import importlib.util
from glob import glob

import pytest
from mmengine.runner import Runner

from topkd.analysis.run_history import plot
from topkd.analysis.run_history.members import member_panels

KD = dict(kd=dict(type='KDLoss', tau=4.0))


@pytest.fixture
def figures(monkeypatch):
    """Collect the figures that are drawn."""
    drawn, real = [], plot.runs_figure

    def draw(*args, **options):
        drawn.append(real(*args, **options))
        return drawn[-1]

    monkeypatch.setattr(plot, 'runs_figure', draw)
    return drawn


def train(digits_config, epochs: int, resume: str | None = None):
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    student, teacher = cfg.model.student.to_dict(), cfg.model.teacher.to_dict()
    members = {name: dict(student=student, losses=losses) for name, losses in dict(plain={}, KD=KD).items()}
    cfg.model = dict(type='topkd.Cohort', teacher=teacher, members=members)
    cfg.train_cfg.max_epochs, cfg.default_hooks.logger.interval = epochs, 2
    cfg.experiment_name = f'curves_{epochs}'
    cfg.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=-1)
    cfg.custom_hooks = [dict(type=f'topkd.{name}') for name in ('CohortHook', 'ResultHook', 'MemberCurvesHook')]
    if importlib.util.find_spec('tensorboard') is not None:
        cfg.visualizer.vis_backends.append(dict(type='TensorboardVisBackend'))
    cfg.resume, cfg.load_from = resume is not None, resume
    runner = Runner.from_cfg(cfg)
    runner.train()
    return runner


def test_all_members_are_in_one_picture_and_one_run(digits_config, tmp_path, figures):
    runner = train(digits_config, 2)
    assert (tmp_path / 'work/curves.png').read_bytes()[:4] == b'\x89PNG'
    (figure,) = figures
    losses, accuracies = figure.axes
    assert (losses.get_ylabel(), accuracies.get_ylabel()) == ('training loss', 'accuracy/top1')
    assert [line.get_label() for line in accuracies.lines] == ['plain', 'KD']
    for line in accuracies.lines:
        logged = runner.message_hub.log_scalars[f'val/{line.get_label()}/accuracy/top1'].data[0]
        assert line.get_xdata().tolist() == [1.0, 2.0] and line.get_ydata() == pytest.approx(logged)
    assert losses.lines[0].get_xdata().tolist() == [0.5, 1.0, 1.5, 2.0]  # a step of four is half an epoch
    pictures = glob(str(tmp_path / 'work/*/vis_data/vis_image/curves_2.png'))
    assert len(pictures) == 1
    if importlib.util.find_spec('tensorboard') is None:
        return
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (run,) = glob(str(tmp_path / 'work/*/vis_data'))
    events = EventAccumulator(run)
    events.Reload()
    for name in ('plain', 'KD'):
        assert [event.step for event in events.Scalars(f'{name}/accuracy/top1')] == [1, 2]
        assert len(events.Scalars(f'{name}/loss')) == 4
    assert events.Tags()['images'] == ['curves']


def test_a_resumed_training_draws_what_came_before(digits_config, tmp_path, figures):
    train(digits_config, 1)
    train(digits_config, 2, str(tmp_path / 'work/epoch_1.pth'))
    assert [axis.lines[0].get_xdata().tolist() for axis in figures[-1].axes] == [[0.5, 1.0, 1.5, 2.0], [1.0, 2.0]]


def test_a_member_that_was_stopped_has_a_shorter_curve(tmp_path):
    log = tmp_path / '20260101_000000/vis_data/scalars.json'
    log.parent.mkdir(parents=True)
    lines = [
        '{"a/loss": 2.0, "b/loss": 3.0, "epoch": 1, "iter": 4, "step": 4}',
        '{"a/top1": 50.0, "b/top1": 40.0, "step": 1}',
        '{"a/loss": 1.0, "epoch": 2, "iter": 8, "step": 8}',
        '{"a/top1": 60.0, "step": 2}',
    ]
    log.write_text('\n'.join(lines))
    panels = member_panels(str(tmp_path), ['a', 'b'], 'loss', 'top1')
    assert panels['top1']['a'].values.tolist() == [50.0, 60.0] and panels['top1']['b'].values.tolist() == [40.0]
    assert panels['top1']['a'].steps.tolist() == [4, 8] and panels['loss']['b'].epochs.tolist() == [1]
    assert set(member_panels(str(tmp_path), ['a'], 'loss', None)) == {'loss'}
    assert set(member_panels(str(tmp_path), ['a'], 'loss', 'unknown')) == {'loss'}  # never validated
