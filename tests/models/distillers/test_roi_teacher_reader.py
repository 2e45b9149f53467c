"""Faster R-CNN as student and teacher: trust, the box classifier's scores, and the steps that must be legal."""

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper
from tiny_detectors import CAFFE, batch, build, detector, distiller, step

from topkd.models.taps.tap import tap


def gradients(model, losses) -> dict:
    model.zero_grad()
    model.parse_losses(losses)[0].backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


def zero_weights() -> dict:
    return distiller(kd=dict(loss_weight=0.0), topology=dict(loss_weight=0.0))


def test_zero_weights_give_the_plain_detectors_losses_and_gradients():
    model = build(zero_weights()).train()
    plain = copy.deepcopy(model.student).train()
    expected, got = step(plain, batch()), step(model, batch())
    assert {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox', 'acc'} == set(expected)
    for name, value in expected.items():
        ours, theirs = (torch.stack(item) if isinstance(item, list) else item for item in (got[name], value))
        assert torch.equal(ours, theirs), name
    expected_gradients, got_gradients = gradients(plain, expected), gradients(model, got)
    assert len(expected_gradients) > 50
    for name, gradient in expected_gradients.items():
        assert torch.equal(got_gradients[f'student.{name}'], gradient), name


def test_predictions_are_bit_identical_to_the_plain_detectors():
    model = build(distiller()).eval()
    plain = copy.deepcopy(model.student).eval()
    for ours, theirs in zip(model.val_step(batch()), plain.val_step(batch())):
        assert len(ours.pred_instances) == len(theirs.pred_instances) > 0
        for key in ('bboxes', 'scores', 'labels'):
            assert torch.equal(ours.pred_instances[key], theirs.pred_instances[key])


def test_student_starts_as_the_plain_baseline_of_the_same_seed():
    plain, model = build(detector(), seed=5), build(distiller(), seed=5)
    for name, tensor in plain.state_dict().items():
        assert torch.equal(model.student.state_dict()[name], tensor), name


def test_kd_compares_the_teachers_scores_of_the_students_rois():
    model = build(distiller(topology=None)).train()
    prepared = model.data_preprocessor(batch(), True)
    student, teacher = copy.deepcopy(model.student).train(), model.teacher.module
    # the student's own step tells its RoIs and its scores
    torch.manual_seed(3)
    with tap(student, ['roi_head.bbox_roi_extractor(1)', 'roi_head.bbox_head.fc_cls']) as features:
        student(**prepared, mode='loss')
    rois, student_logits = features.values()
    assert rois.shape == (64, 5) and set(rois[:, 0].tolist()) == {0, 1, 2, 3}
    with torch.no_grad():
        pyramid = teacher.neck(teacher.backbone(prepared['inputs']))
        boxes = teacher.roi_head.bbox_roi_extractor(pyramid[:4], rois)
        teacher_logits = teacher.roi_head.bbox_head(boxes)[0]
    soft = (teacher_logits / 2).softmax(1)
    divergence = (soft * (soft.log() - (student_logits / 2).log_softmax(1))).sum(1).mean()
    assert divergence > 0
    assert step(model, batch())['loss_kd'].item() == pytest.approx(1.2 * 4 * divergence.item(), rel=1e-4)


def test_topology_compares_the_images_of_both_networks_pooled_pyramids():
    model = build(distiller(kd=None)).train()
    prepared = model.data_preprocessor(batch(), True)
    got = step(model, batch())['loss_topology'].item()
    with torch.no_grad():
        clouds = []
        for network in (model.student, model.teacher.module):
            levels = network.extract_feat(prepared['inputs'])[:4]
            clouds.append(torch.stack([level.mean(dim=(2, 3)) for level in levels]).mean(0)[None])
        images = [model.losses.topology.vectorizer(cloud) for cloud in clouds]
    assert got == pytest.approx((images[0] - images[1]).square().mean().item(), rel=1e-3)


def test_gradient_ratio_is_measured_over_all_levels_as_one_vector():
    model = build(distiller(kd=None)).train()
    prepared = model.data_preprocessor(batch(), True)
    torch.manual_seed(3)
    losses = model(**prepared, mode='loss')
    taps = model.losses.topology.student_tap
    torch.manual_seed(3)
    with tap(model.student, taps) as features:
        plain = model.student(**prepared, mode='loss')
    levels = [features[path] for path in taps]
    teacher = model.teacher.features(prepared['inputs'], taps, model.data_preprocessor)
    model.eval()  # the images' spec stays what the step above fitted
    topology = model.losses.topology(levels, [teacher[path] for path in taps], prepared['data_samples'])
    pulls = []
    for term in (topology, model.parse_losses(plain)[0]):
        gradients_of_levels = torch.autograd.grad(term, levels, retain_graph=True)
        pulls.append(torch.cat([gradient.flatten() for gradient in gradients_of_levels]).norm())
    assert losses['gradient_ratio_topology'].item() == pytest.approx((pulls[0] / pulls[1]).item(), rel=1e-3)


@pytest.mark.parametrize('changes, heads', [(dict(), 1), (dict(kd=None), 0)])
def test_teacher_runs_backbone_and_neck_once_and_no_rpn(changes, heads, monkeypatch):
    model = build(distiller(**changes)).train()
    teacher, calls = model.teacher.module, {}

    def forbidden(*args, **kwargs):
        raise AssertionError('the teacher must not do this')

    for name in ('predict', 'loss', 'loss_and_predict', 'forward'):
        monkeypatch.setattr(teacher.rpn_head, name, forbidden)
    monkeypatch.setattr(teacher.roi_head.bbox_assigner, 'assign', forbidden)
    monkeypatch.setattr(teacher.roi_head.bbox_sampler, 'sample', forbidden)
    for name in ('backbone', 'neck', 'roi_head.bbox_head'):
        calls[name] = 0
        teacher.get_submodule(name).register_forward_hook(
            lambda *args, name=name: calls.__setitem__(name, calls[name] + 1)
        )
    step(model, batch())
    assert calls == {'backbone': 1, 'neck': 1, 'roi_head.bbox_head': heads}


def no_proposals() -> dict:
    student = detector()
    student['train_cfg']['rpn_proposal']['min_bbox_size'] = 10_000
    student['train_cfg']['rcnn']['sampler']['add_gt_as_proposals'] = False
    return student


@pytest.mark.parametrize(
    'case, student',
    [
        (dict(boxes=[[], [], [], []]), detector()),
        (dict(boxes=[[], [], [], []], crowds=[[[0, 0, 30, 30]]] * 4), detector()),
        (dict(), no_proposals()),
    ],
    ids=['no objects', 'crowds only', 'no RoI'],
)
def test_legal_steps_with_nothing_to_find(case, student):
    model = build(distiller(student=student)).train()
    losses = step(model, batch(**case))
    loss, logs = model.parse_losses(losses)
    loss.backward()
    assert all(value.isfinite() for value in logs.values())
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert all(p.grad is None or p.grad.isfinite().all() for p in trained.values())
    # DistributedDataParallel with find_unused_parameters=False: every parameter takes part in every step
    assert [name for name, p in trained.items() if p.grad is None] == []
    if student['train_cfg']['rpn_proposal']['min_bbox_size']:
        assert losses['loss_kd'].item() == 0


def test_teacher_of_other_classes_is_refused_unless_kd_is_dropped():
    with pytest.raises(
        ValueError, match='must classify the same classes, got 3 and 5: use a teacher .* losses.kd=None'
    ):
        build(distiller(teacher=detector(classes=5)))
    model = build(distiller(teacher=detector(classes=5), kd=None)).train()
    assert step(model, batch())['loss_topology'].isfinite()


def test_box_classifiers_of_other_kinds_are_refused():
    cascade = dict(
        distiller(),
        student=dict(
            type='mmdet.RetinaNet',
            backbone=dict(type='mmdet.ResNet', depth=18, base_channels=8),
            neck=dict(type='mmdet.FPN', in_channels=[8, 16, 32, 64], out_channels=16, num_outs=5),
            bbox_head=dict(type='mmdet.RetinaHead', num_classes=3, in_channels=16, stacked_convs=1, feat_channels=16),
        ),
    )
    with pytest.raises(TypeError, match="needs a student with one box head, such as mmdet's FasterRCNN, got RetinaNet"):
        build(cascade)


def test_teacher_that_resizes_its_images_is_refused():
    config = distiller()
    config['teacher']['input_size'] = (32, 32)
    with pytest.raises(ValueError, match=r'fit a teacher that resizes its images, got teacher.input_size=\(32, 32\)'):
        build(config)


def test_pyramid_of_another_width_is_projected():
    model = build(distiller(student=detector(width=8))).train()
    assert model.losses.topology.projection.weight.shape == (16, 8)
    losses = step(model, batch())
    model.parse_losses(losses)[0].backward()
    assert model.losses.topology.projection.weight.grad.abs().sum() > 0
    # exact images compare clouds of any two widths as they are
    model = build(distiller(student=detector(width=8), topology=dict(projection='none'))).train()
    assert model.losses.topology.projection is None
    losses = step(model, batch())
    assert losses['loss_topology'] > 0


def test_teacher_of_another_normalization_gets_what_its_own_preprocessor_makes():
    model = build(distiller(teacher=detector(**CAFFE)))
    data = batch(sizes=[(64, 48), (40, 64), (64, 64), (33, 61)])
    prepared = model.data_preprocessor(copy.deepcopy(data), True)
    adapted = model.teacher.adapt_inputs(prepared['inputs'], model.data_preprocessor, prepared['data_samples'])
    expected = model.teacher.module.data_preprocessor(copy.deepcopy(data), True)['inputs']
    assert expected.abs().max() > 100 and (expected[1, :, 40:] == 0).all()
    assert torch.allclose(adapted, expected, atol=1e-3)
    assert (adapted[1, :, 40:] == 0).all() and (adapted[3, :, :, 61:] == 0).all()
    # the student's images are untouched
    assert torch.equal(prepared['inputs'], model.data_preprocessor(copy.deepcopy(data), True)['inputs'])


def test_bfloat16_step_keeps_the_distillation_terms_in_full_precision():
    model = build(distiller()).train()
    prepared = model.data_preprocessor(batch(), True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(**prepared, mode='loss')
    assert losses['loss_kd'].dtype == losses['loss_topology'].dtype == torch.float32
    got = gradients(model, losses)
    assert len(got) > 50 and all(gradient.isfinite().all() for gradient in got.values())


def test_accumulated_gradients_are_the_mean_over_the_batches():
    model = build(distiller()).train()
    datas = [batch(seed=1), batch(seed=2)]
    expected = [gradients(model, step(model, data)) for data in datas]
    again = build(distiller()).train()
    start = {name: parameter.detach().clone() for name, parameter in again.named_parameters()}
    optimizer = torch.optim.SGD(again.parameters(), lr=1.0)
    wrapper = OptimWrapper(optimizer, accumulative_counts=2)
    wrapper.initialize_count_status(again, 0, 2)
    for data in datas:
        with wrapper.optim_context(again):
            losses = step(again, data)
        wrapper.update_params(again.parse_losses(losses)[0])
    for name, parameter in again.named_parameters():
        if name in expected[0]:
            mean = (expected[0][name] + expected[1][name]) / 2
            assert torch.allclose(start[name] - parameter, mean, rtol=1e-3, atol=1e-5), name
