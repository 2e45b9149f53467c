"""YOLOX's last epochs: of a plain detector, of a student, of the members of a cohort."""

import logging
from types import SimpleNamespace

import pytest
from tiny_detectors import build, detector, one_stage

from topkd.hooks import YOLOXSwitchHook

STUDENT, TEACHER = one_stage('yolox'), dict(name='tiny', model=one_stage('yolox', width=24), checkpoint=None)
PKD = dict(pkd=dict(type='topkd.PKDLoss', student_tap='@pyramid'))


def run(model, epoch: int, hook: YOLOXSwitchHook) -> list:
    """Call the hook before an epoch of 10, and return what the data set was told to skip."""
    skipped: list = []
    loader = SimpleNamespace(dataset=SimpleNamespace(update_skip_type_keys=skipped.append))
    runner = SimpleNamespace(
        epoch=epoch, max_epochs=10, train_dataloader=loader, logger=logging.getLogger('x'), model=model
    )
    hook.before_train_epoch(runner)
    return skipped


def heads(model) -> list:
    return [module for name, module in model.named_modules() if name.endswith('bbox_head')]


@pytest.mark.parametrize(
    'config',
    [
        STUDENT,
        dict(type='topkd.Distiller', student=STUDENT, teacher=TEACHER, losses=PKD),
        dict(
            type='topkd.Cohort',
            teacher=TEACHER,
            members=dict(plain=dict(student=STUDENT, losses={}), PKD=dict(student=STUDENT, losses=PKD)),
        ),
    ],
    ids=['plain', 'distiller', 'cohort'],
)
def test_students_switch_once_when_the_last_epochs_begin(config):
    model, hook = build(config), YOLOXSwitchHook(num_last_epochs=2, skip_type_keys=('Mosaic',))
    assert run(model, 6, hook) == [] and not any(head.use_l1 for head in heads(model))
    assert run(model, 7, hook) == [('Mosaic',)] and all(head.use_l1 for head in heads(model))
    assert run(model, 8, hook) == []


def test_training_without_a_yolox_is_refused():
    with pytest.raises(ValueError, match='needs a YOLOX among the networks that are trained, got FasterRCNN without'):
        run(build(detector()), 0, YOLOXSwitchHook())
