"""A member of a cohort is trained as it would be alone, bit for bit."""

import copy
import json
import os

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS
from mmengine.runner import Runner
from small import batch, build, classifier

from topkd.hooks.cohort_hook import MemberEvaluators
from topkd.models import Cohort
from topkd.utils.checkpoint import load_file, not_finite

KD = dict(kd=dict(type='KDLoss', tau=4.0, loss_weight=2.0))
EXACT = dict(
    KD,
    topology=dict(
        type='TopologyLoss',
        loss_weight=5.0,
        cloud=dict(num_points=16, type='BatchCloud'),
        vectorizer=dict(type='RipsImage', fit_batches=2),
    ),
)
LEARNS = dict(KD, fitnet=dict(type='topkd.FitNetLoss', loss_weight=10.0))
MEMBERS = dict(plain={}, KD=KD, exact=EXACT, FitNet=LEARNS)
EPOCHS = 2


def small(**members):
    """Build a cohort of small classifiers."""
    members = members or dict(plain={}, KD=KD)
    return build(
        dict(
            type='topkd.Cohort',
            teacher=dict(name='small', model=classifier(8), checkpoint=None),
            members={
                name: dict(student=classifier(4), losses=losses, probe_shape=(3, 16, 16))
                for name, losses in members.items()
            },
        )
    )


def training(digits_config, tmp_path, name: str, model: dict):
    """Return the config of a training with augmentation, momentum, decay, clipping and accumulation."""
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    cfg.data_preprocessor.update(crop_padding=1, flip_prob=0.5)
    cfg.model = model
    cfg.work_dir, cfg.experiment_name = str(tmp_path / name), f'cohort_{name}_{len(os.listdir(tmp_path))}'
    cfg.train_cfg.max_epochs = EPOCHS
    cfg.optim_wrapper.update(clip_grad=dict(max_norm=0.5), accumulative_counts=2)
    cfg.custom_hooks = [
        dict(type='topkd.StepSeedHook'),
        dict(type='topkd.CohortHook'),
        dict(type='topkd.ResultHook', monitor='accuracy/top1'),
        dict(type='topkd.StudentCheckpointHook'),
    ]
    if 'teacher' not in model:
        cfg.custom_hooks.pop()
    return cfg


@pytest.fixture
def networks(digits_config):
    """Configs of a student and of a teacher."""
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    return cfg.model.student.to_dict(), cfg.model.teacher.to_dict()


def cohort_config(networks, **members) -> dict:
    student, teacher = networks
    members = members or MEMBERS
    return dict(
        type='topkd.Cohort',
        teacher=teacher,
        members={name: dict(student=student, losses=losses) for name, losses in members.items()},
    )


@pytest.fixture
def trained(digits_config, tmp_path, networks):
    """Train all members as a cohort."""
    runner = Runner.from_cfg(training(digits_config, tmp_path, 'cohort', cohort_config(networks)))
    runner.train()
    return runner


def test_members_equal_their_single_runs(digits_config, tmp_path, networks, trained):
    results = json.loads((tmp_path / 'cohort/results.json').read_text())['members']
    student, teacher = networks
    for name, losses in MEMBERS.items():
        single = (
            dict(student)
            if name == 'plain'
            else dict(type='topkd.Distiller', student=student, teacher=teacher, losses=losses)
        )
        runner = Runner.from_cfg(training(digits_config, tmp_path, f'single_{name}', single))
        runner.train()
        model = runner.model
        together = trained.model.members[name]
        ours = together.student if name == 'plain' else together
        for key, value in model.state_dict().items():
            assert torch.equal(value, ours.state_dict()[key]), (name, key)
        alone = json.loads((tmp_path / f'single_{name}/results.json').read_text())
        assert results[name] == dict(last=alone['last'], best=alone['best']), name
        scalars = runner.message_hub.log_scalars
        for key in ('train/loss', 'train/loss_kd', 'train/share_kd'):
            if key in scalars:
                shared = trained.message_hub.log_scalars[key.replace('train/', f'train/{name}/')]
                assert shared.data[0].tolist() == scalars[key].data[0].tolist(), (name, key)


def test_every_save_leaves_every_student(tmp_path, trained, digits_config):
    files = sorted(name for name in os.listdir(tmp_path / 'cohort') if name.endswith('.pth'))
    saved = [name for name in files if not name.startswith('student_')]
    assert saved == ['epoch_1.pth', 'epoch_2.pth']
    assert set(files) - set(saved) == {f'student_{member}_{name}' for member in MEMBERS for name in saved}
    plain = MODELS.build(digits_config('baselines/resnet8_digits.py').model)
    for member in MEMBERS:
        plain.load_state_dict(
            load_file(str(tmp_path / f'cohort/student_{member}_epoch_2.pth'))['state_dict'], strict=True
        )
        expected = trained.model.members[member].student.state_dict()
        assert all(torch.equal(value, expected[key]) for key, value in plain.state_dict().items())


def test_a_resumed_cohort_ends_as_the_one_that_was_not_killed(digits_config, tmp_path, networks, trained):
    cfg = training(digits_config, tmp_path, 'resumed', cohort_config(networks))
    cfg.resume, cfg.load_from = True, str(tmp_path / 'cohort/epoch_1.pth')
    runner = Runner.from_cfg(cfg)
    runner.train()
    for key, value in runner.model.state_dict().items():
        assert torch.equal(value, trained.model.state_dict()[key]), key
    resumed = json.loads((tmp_path / 'resumed/results.json').read_text())
    assert resumed == json.loads((tmp_path / 'cohort/results.json').read_text())


def test_resume_with_other_members_is_refused(digits_config, tmp_path, networks, trained):
    cfg = training(
        digits_config, tmp_path, 'other', cohort_config(networks, plain={}, RKD=dict(rkd=dict(type='RKDLoss')))
    )
    cfg.resume, cfg.load_from = True, str(tmp_path / 'cohort/epoch_1.pth')
    with pytest.raises(
        ValueError, match='holds the members FitNet, KD, exact, plain, this cohort has RKD, plain: resume with'
    ):
        Runner.from_cfg(cfg).train()


def test_the_teacher_runs_once_a_batch():
    model = small(plain={}, KD=KD, FitNet=LEARNS).train()
    calls = []
    model.teacher.module.backbone.register_forward_hook(lambda *args: calls.append(1))
    model.train_step(batch(), OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)))
    assert len(calls) == 1
    assert all(member.teacher is model.teacher for member in model.members.values())
    assert not any('teacher' in key for key in model.state_dict())


def test_a_member_that_diverges_is_stopped_and_the_others_go_on(caplog):
    models = []
    for members in (dict(plain={}, KD=KD, broken=KD), dict(plain={}, KD=KD)):
        torch.manual_seed(5)
        models.append(small(**members).train())
    with torch.no_grad():
        models[0].members['broken'].student.head.fc.weight.fill_(float('nan'))
    kept = copy.deepcopy(models[0].members['broken'].student.state_dict())
    for model in models:
        wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1))
        for seed in range(3):
            torch.manual_seed(seed)
            logs = model.train_step(batch(seed=seed), wrapper)
    assert models[0].active == ['plain', 'KD'] and not any(key.startswith('broken/') for key in logs)
    for name in ('plain', 'KD'):
        expected = models[1].members[name].state_dict()
        assert all(torch.equal(value, expected[key]) for key, value in models[0].members[name].state_dict().items())
    weights = models[0].members['broken'].student.named_parameters()
    assert all(torch.equal(value, kept[key]) or key == 'head.fc.weight' for key, value in weights)
    resumed = small(plain={}, KD=KD, broken=KD)
    resumed.load_state_dict(models[0].state_dict())
    assert resumed.active == ['plain', 'KD']


def test_a_training_goes_on_and_is_saved_after_a_member_has_diverged(digits_config, tmp_path, networks):
    too_much = dict(kd=dict(type='KDLoss', loss_weight=1e38))  # its running statistics are not finite any more
    cfg = training(digits_config, tmp_path, 'diverged', cohort_config(networks, plain={}, broken=too_much))
    cfg.optim_wrapper.clip_grad = None
    cfg.custom_hooks.insert(0, dict(type='topkd.TrainingCheckHook'))
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.model.active == ['plain'] and runner.model.inactive == ['broken']
    assert not_finite(runner.model.members['broken'].state_dict())
    results = json.loads((tmp_path / 'diverged/results.json').read_text())
    assert results['stopped'] == ['broken'] and results['members']['plain']['last']['epoch'] == EPOCHS
    assert (tmp_path / f'diverged/student_plain_epoch_{EPOCHS}.pth').is_file()


def test_a_batch_that_a_member_cannot_take_names_it():
    clouds = dict(topology=dict(type='TopologyLoss', cloud=dict(type='BatchCloud', num_points=6)))
    model = small(plain={}, clouds=clouds).train()
    with pytest.raises(ValueError, match="member 'clouds': a cloud needs 6 points, got a batch of 8 images: make the"):
        model.train_step(batch(), OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)))


def test_the_last_member_that_diverges_ends_the_training():
    model = small(only=KD).train()
    with torch.no_grad():
        model.members['only'].student.head.fc.weight.fill_(float('nan'))
    with pytest.raises(FloatingPointError, match="no member is left, the last one to stop was 'only'"):
        model.train_step(batch(), OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)))


def test_predictions_are_the_members_own():
    model = small().eval()
    data = model.data_preprocessor(batch(), False)
    for name, predictions in model(data['inputs'], data['data_samples'], mode='predict'):
        expected = model.members[name].student(
            data['inputs'], [s.clone() for s in data['data_samples']], mode='predict'
        )
        assert all(torch.equal(a.pred_score, b.pred_score) for a, b in zip(predictions, expected))


def test_metrics_carry_the_members_names():
    class Counting:
        metrics = ()

        def __init__(self):
            self.seen = 0

        def process(self, data_samples, data_batch):
            self.seen += sum(data_samples)

        def evaluate(self, size):
            return dict(total=self.seen, size=size)

    evaluators = MemberEvaluators(Counting())
    for _ in range(2):
        evaluators.process([('a', [1, 2]), ('b', [5])], None)
    assert evaluators.evaluate(9) == {'a/total': 6, 'a/size': 9, 'b/total': 10, 'b/size': 9}
    assert evaluators.evaluate(9) == {}


@pytest.mark.parametrize(
    'members, message',
    [
        ({}, 'a cohort needs one member at least, got none'),
        ({'a.b': {}}, "a member's name is part of files and log keys, got 'a.b': leave out dots"),
        ({1: {}}, "a member's name is part of files and log keys, got 1: leave out dots"),
        ({'KD': {}, 'kd': {}}, 'members must differ in more than case, got KD, kd: rename one'),
        (
            {'odd': dict(at=dict(type='topkd.ATLoss', student_tap='neck[0]'))},
            "member 'odd': loss 'at': ATLoss needs maps",
        ),
    ],
)
def test_wrong_members(members, message):
    with pytest.raises(ValueError, match=message):
        Cohort(
            dict(name='small', model=classifier(8), checkpoint=None),
            {
                name: dict(student=classifier(4), losses=losses, probe_shape=(3, 16, 16))
                for name, losses in members.items()
            },
        )


def test_members_that_see_other_images_are_refused():
    other = classifier(4)
    other['data_preprocessor']['mean'] = [1.0, 2.0, 3.0]
    members = dict(a=dict(student=classifier(4), losses={}), b=dict(student=other, losses={}))
    with pytest.raises(ValueError, match="see the same images, 'b' and 'a' have other data preprocessors: give them"):
        Cohort(dict(name='small', model=classifier(8), checkpoint=None), members)


def test_averaged_weights_of_a_member_are_those_of_its_single_run(digits_config, tmp_path, networks):
    student, teacher = networks
    single = dict(type='topkd.Distiller', student=student, teacher=teacher, losses=KD)
    for name, model in (('ema_cohort', cohort_config(networks, plain={}, KD=KD)), ('ema_single', single)):
        cfg = training(digits_config, tmp_path, name, model)
        cfg.custom_hooks.append(dict(type='EMAHook', momentum=0.5))
        Runner.from_cfg(cfg).train()
    together = load_file(str(tmp_path / 'ema_cohort/student_KD_epoch_2.pth'))['state_dict']
    alone = load_file(str(tmp_path / 'ema_single/student_epoch_2.pth'))['state_dict']
    raw = load_file(str(tmp_path / 'ema_cohort/epoch_2.pth'))['ema_state_dict']
    assert all(torch.equal(value, alone[key]) for key, value in together.items())
    weight = 'backbone.stem.conv.weight'
    assert not torch.equal(together[weight], raw[f'module.members.KD.student.{weight}'])
    results = [json.loads((tmp_path / f'ema_{kind}/results.json').read_text()) for kind in ('cohort', 'single')]
    assert results[0]['members']['KD'] == dict(last=results[1]['last'], best=results[1]['best'])
