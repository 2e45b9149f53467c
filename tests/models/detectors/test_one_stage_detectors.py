"""One-stage detectors as student and teacher: trust, class scores, topology and features of the pyramid, cohorts."""

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper
from tiny_detectors import batch, build, detector, one_stage, step

from topkd.models import Cohort
from topkd.models.taps.detector_taps import detector_taps
from topkd.models.taps.tap import reach, tap

KINDS = ['retinanet', 'gfl', 'atss', 'fcos', 'yolox']
PYRAMID = ['fitnet', 'pkd', 'cwd', 'mgd', 'reviewkd']
CLOUD = dict(type='BatchCloud', num_points=4, gather=True, ignore_padding=True)
METHODS = dict(
    fitnet=dict(type='topkd.FitNetLoss', student_tap='@pyramid'),
    pkd=dict(type='topkd.PKDLoss', student_tap='@pyramid'),
    cwd=dict(type='topkd.CWDLoss', student_tap='@pyramid'),
    mgd=dict(type='topkd.MGDLoss', mask='positions', student_tap='@pyramid'),
    reviewkd=dict(type='topkd.ReviewKDLoss', warmup_epochs=0, student_tap='@pyramid'),
    fgfi=dict(type='topkd.FGFILoss', student_tap='@pyramid'),
    logits=dict(type='topkd.CWDLoss', student_tap='@class_logits'),
)


def kd(kind: str, **changes) -> dict:
    return dict(type='topkd.DenseKDLoss', objectness=kind == 'yolox', **changes)


def topology(cloud: dict = CLOUD, tap='@pyramid') -> dict:
    image = dict(type='RipsImage', fit_batches=2)
    return dict(type='topkd.TopologyLoss', student_tap=tap, cloud=cloud, vectorizer=image)


def pair(kind: str, losses: dict, student: dict | None = None, teacher: dict | None = None) -> dict:
    return dict(
        type='topkd.Distiller',
        student=student or one_stage(kind),
        teacher=dict(name='tiny', model=teacher or one_stage(kind, width=24), checkpoint=None),
        losses=losses,
    )


def grown(model):
    """Move the class scores away from their start, where all of them are small."""
    for network in (model.student, model.teacher.module):
        for name, parameter in network.bbox_head.named_parameters():
            if parameter.ndim == 1 and parameter.detach().max() < -1:
                torch.nn.init.uniform_(parameter, -2, 1)
    return model


@pytest.mark.parametrize('kind', KINDS)
def test_zero_weights_give_the_plain_detectors_losses_and_gradients(kind):
    zero = dict(kd=kd(kind, loss_weight=0.0), topology=dict(topology(), loss_weight=0.0))
    model = build(pair(kind, zero)).train()
    plain = copy.deepcopy(model.student).train()
    found = {}
    for name, network in dict(plain=plain, distilled=model).items():
        losses = step(network, batch())
        network.parse_losses(losses)[0].backward()
        found[name] = losses, {key: value.grad for key, value in network.named_parameters() if value.grad is not None}
    (expected, gradients), (got, ours) = found['plain'], found['distilled']
    for key, value in expected.items():
        theirs, mine = (torch.stack(item) if isinstance(item, list) else item for item in (value, got[key]))
        assert torch.equal(theirs, mine), key
    assert len(gradients) > 30
    rounding = 1e-5 if kind == 'yolox' else 0.0  # the sums over its maps run in another order
    for key, gradient in gradients.items():
        assert torch.allclose(gradient, ours[f'student.{key}'], rtol=rounding, atol=rounding), key


@pytest.mark.parametrize('kind', KINDS)
def test_kd_compares_class_scores_near_the_teachers_objects(kind):
    model = grown(build(pair(kind, dict(kd=kd(kind, loss_weight=0.5))))).train()
    inputs = model.data_preprocessor(batch(), True)['inputs']
    student, teacher = copy.deepcopy(model.student).train(), model.teacher.module
    with torch.no_grad():
        outputs = [network.bbox_head(network.extract_feat(inputs)) for network in (student, teacher)]
    expected = 0.0
    for level in range(len(outputs[0][0])):
        ours, theirs = (output[0][level].double().sigmoid() for output in outputs)
        if kind == 'yolox':
            ours, theirs = (p * output[2][level].double().sigmoid() for p, output in zip((ours, theirs), outputs))
        entropy = torch.nn.functional.binary_cross_entropy(theirs, theirs, reduction='none')
        difference = torch.nn.functional.binary_cross_entropy(ours, theirs, reduction='none') - entropy
        richness = theirs.amax(dim=1)
        expected += (richness * difference.sum(1)).sum() / richness.sum()
    losses = step(model, batch())
    assert expected > 0.01
    assert losses['loss_kd'].item() == pytest.approx(0.5 * expected.item(), rel=1e-3)
    losses['loss_kd'].backward()
    assert sum(p.grad.abs().sum() for p in model.student.backbone.parameters() if p.grad is not None) > 0


@pytest.mark.parametrize('kind', ['retinanet', 'yolox'])
@pytest.mark.parametrize('cloud, tap', [(CLOUD, '@pyramid'), (dict(type='SpatialCloud', grid=4), 'neck[0]')])
def test_topology_compares_clouds_of_the_pyramid(kind, cloud, tap):
    model = build(pair(kind, dict(topology=topology(cloud, tap)), teacher=one_stage(kind))).train()
    inputs = model.data_preprocessor(batch(), True)['inputs']
    networks = (copy.deepcopy(model.student), model.teacher.module)
    got = step(model, batch())['loss_topology'].item()
    with torch.no_grad():
        clouds = []
        for network in networks:
            levels = network.extract_feat(inputs)
            pooled = torch.stack([level.mean((2, 3)) for level in levels]).mean(0)[None]
            cells = torch.nn.functional.adaptive_avg_pool2d(levels[0], 4).flatten(2).transpose(1, 2)
            clouds.append(cells if cloud['type'] == 'SpatialCloud' else pooled)
        images = [model.losses.topology.vectorizer(points) for points in clouds]
    assert got > 0 and got == pytest.approx((images[0] - images[1]).square().mean().item(), rel=1e-2)


@pytest.mark.parametrize('kind', ['retinanet', 'gfl', 'yolox'])
def test_methods_on_the_pyramid_and_on_the_logits(kind):
    names = [name for name in METHODS if name != 'fgfi' or kind != 'yolox']
    model = build(pair(kind, {name: METHODS[name] for name in names})).train()
    losses = step(model, batch())
    assert all(losses[f'loss_{name}'].isfinite() and losses[f'loss_{name}'] > 0 for name in names)
    model.parse_losses(losses)[0].backward()
    assert all(parameter.grad is not None for parameter in model.losses.parameters())
    levels = 3 if kind == 'yolox' else 5
    assert model.losses.pkd.student_tap == [f'neck[{level}]' for level in range(levels)]


def test_members_of_a_cohort_equal_their_single_runs_and_share_the_teacher():
    members = dict(plain={}, KD=dict(kd=kd('retinanet')), exact=dict(kd=kd('retinanet'), topology=topology()))
    config = pair('retinanet', {})
    students = {name: dict(student=config['student'], losses=losses) for name, losses in members.items()}
    together: Cohort = build(dict(type='topkd.Cohort', teacher=config['teacher'], members=students)).train()
    calls = []
    together.teacher.module.bbox_head.register_forward_hook(lambda *args: calls.append(args))
    trained(together)
    assert len(calls) == 2
    for name, losses in members.items():
        single = trained(build(pair('retinanet', losses) if losses else one_stage('retinanet')).train())
        ours = together.members[name].student
        for key, value in getattr(single, 'student', single).state_dict().items():
            assert torch.equal(value, ours.state_dict()[key]), (name, key)


def trained(model):
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01), clip_grad=dict(max_norm=5.0))
    for number in range(2):
        torch.manual_seed(number)
        model.train_step(batch(seed=number), wrapper)
    return model


def test_taps_of_detectors():
    network = build(one_stage('retinanet')).eval()
    taps = detector_taps(network)
    assert taps.pyramid == tuple(f'neck[{level}]' for level in range(5)) and taps.objectness is None
    assert taps.class_logits == tuple(f'bbox_head[0][{level}]' for level in range(5))
    features = reach(network, torch.rand(1, 3, 64, 64), taps.class_logits)
    assert [tuple(features[path].shape) for path in taps.class_logits] == [
        (1, 27, size, size) for size in (8, 4, 2, 1, 1)
    ]
    two_stage = detector_taps(build(detector()))
    assert two_stage.pyramid == tuple(f'neck[{level}]' for level in range(5)) and two_stage.class_logits is None


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(teacher=one_stage('retinanet', classes=5)), r'same classes, anchors and strides, got class maps \(1, 27'),
        (dict(teacher=one_stage('gfl')), r'got class maps \(1, 27, 8, 8\) and \(1, 3, 8, 8\): use a teacher of the'),
        (dict(student=detector()), "a FasterRCNN has no taps '@class_logits': name the taps in the loss config"),
        (dict(losses=dict(kd=kd('yolox'))), "a RetinaNet has no taps '@objectness'"),
    ],
)
def test_pairs_that_cannot_be_compared(change, message):
    with pytest.raises(ValueError, match=message):
        build(pair('retinanet', **dict(dict(losses=dict(kd=kd('retinanet'))), **change)))


def test_head_with_one_softmax_is_refused():
    model = one_stage('retinanet')
    model['bbox_head']['loss_cls'] = dict(type='CrossEntropyLoss', use_sigmoid=False)
    with pytest.raises(ValueError, match='got a RetinaHead with a softmax over classes: use losses on the pyramid'):
        build(pair('retinanet', dict(kd=kd('retinanet')), student=model, teacher=model))


def test_fgfi_needs_anchors():
    with pytest.raises(ValueError, match='FGFILoss needs a teacher with anchors, .* got YOLOX'):
        build(pair('yolox', dict(fgfi=METHODS['fgfi'])))


def test_classifier_has_no_pyramid():
    with pytest.raises(ValueError, match='need a detector of mmdet with a neck and a dense head, .* got Sequential'):
        detector_taps(torch.nn.Sequential())


def test_number_of_a_list_that_is_an_output():
    network = build(one_stage('retinanet'))
    with pytest.raises(TypeError, match=r"tap 'bbox_head\[0\]' names no tensor: the module returned a tuple of 2"):
        with tap(network, ['bbox_head[0]']):
            network.bbox_head(network.extract_feat(torch.rand(1, 3, 64, 64)))
