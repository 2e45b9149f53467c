"""The two trust tests, and what may go wrong around a student and a teacher."""

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper
from small import batch, build, classifier, distiller
from torch import nn


def small(**changes):
    torch.manual_seed(0)
    model = build(distiller(**changes))
    torch.manual_seed(1)
    model.init_weights()
    return model


def gradients(model: nn.Module, losses: dict) -> dict:
    model.zero_grad()
    loss, _ = model.parse_losses(losses)
    loss.backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}


def test_zero_weights_give_the_plain_students_loss_and_gradients():
    losses = distiller()['losses']
    losses['kd']['loss_weight'] = losses['topology']['loss_weight'] = 0.0
    model = small(losses=losses).train()
    plain = copy.deepcopy(model.student).train()
    data = model.data_preprocessor(batch(), True)
    expected = plain(**data, mode='loss')
    got = model(**data, mode='loss')
    assert torch.equal(got['loss'], expected['loss'])
    assert model.parse_losses(got)[0].item() == plain.parse_losses(expected)[0].item()
    expected_gradients = gradients(plain, expected)
    got_gradients = gradients(model, got)
    assert len(expected_gradients) == len(list(plain.parameters()))
    for name, gradient in expected_gradients.items():
        assert torch.equal(got_gradients[f'student.{name}'], gradient), name


def test_predictions_are_bit_identical_to_the_plain_students():
    model = small().eval()
    plain = copy.deepcopy(model.student).eval()
    expected = plain.val_step(batch())
    got = model.val_step(batch())
    for ours, theirs in zip(got, expected):
        assert torch.equal(ours.pred_score, theirs.pred_score)
        assert torch.equal(ours.pred_label, theirs.pred_label)


def test_student_is_initialized_as_the_plain_baseline_of_the_same_seed():
    torch.manual_seed(7)
    plain = build(classifier(4))
    plain.init_weights()
    torch.manual_seed(7)
    model = build(distiller())
    model.init_weights()
    for name, tensor in plain.state_dict().items():
        assert torch.equal(model.student.state_dict()[name], tensor), name


def test_terms_are_those_of_the_formula():
    model = small().train()
    data = model.data_preprocessor(batch(16), True)
    with torch.no_grad():
        for network in (model.student, model.teacher.module):
            network.head.fc.weight.mul_(100)
    state = copy.deepcopy(model.state_dict())
    losses = model(**data, mode='loss')
    model.load_state_dict(state)
    student, teacher = model.student, model.teacher.module
    with torch.no_grad():
        student_points = student.extract_feat(data['inputs'])[0]
        student_logits = student.head.fc(student_points)
        teacher_points = teacher.extract_feat(data['inputs'])[0]
        teacher_logits = teacher.head.fc(teacher_points)
        soft = torch.softmax(teacher_logits / 4, 1)
        divergence = (soft * (soft.log() - torch.log_softmax(student_logits / 4, 1))).sum(1).mean()
        projected = model.losses.topology.projection(student_points)
    assert losses['loss_kd'].item() == pytest.approx(2 * 16 * divergence.item(), rel=1e-4)
    # the spec is fitted before the images are made, on this very batch
    model.losses.topology.vectorizer.observe(teacher_points.reshape(2, 8, -1))
    with torch.no_grad():
        images = [model.losses.topology.vectorizer(points.reshape(2, 8, -1)) for points in (projected, teacher_points)]
    assert losses['loss_topology'].item() == pytest.approx(5 * (images[0] - images[1]).square().mean().item(), rel=1e-4)
    total = losses['loss'] + losses['loss_kd'] + losses['loss_topology']
    assert losses['share_kd'].item() == pytest.approx((losses['loss_kd'] / total).item(), rel=1e-5)
    assert not any('loss' in key for key in losses if key.startswith(('share', 'gradient', 'outside')))


def test_gradient_ratio_is_the_ratio_of_gradient_norms_at_the_shared_feature():
    model = small().train()
    data = model.data_preprocessor(batch(), True)
    losses = model(**data, mode='loss')
    reference = small().train()
    points = []
    reference.student.neck.register_forward_hook(lambda module, args, output: points.append(output[0]))
    with torch.no_grad():
        teacher = reference.teacher.module
        teacher_points = teacher.extract_feat(data['inputs'])[0]
        teacher_logits = teacher.head.fc(teacher_points)
    base = reference.student(**data, mode='loss')['loss']
    kd = reference.losses.kd(reference.student.head.fc(points[0]), teacher_logits)
    topology = reference.losses.topology(points[0], teacher_points)
    pull = [torch.autograd.grad(term, points[0], retain_graph=True)[0].norm() for term in (topology, base + kd)]
    assert losses['gradient_ratio_topology'].item() == pytest.approx((pull[0] / pull[1]).item(), rel=1e-4)
    again = model(**data, mode='loss')
    assert 'gradient_ratio_topology' not in again


def test_teacher_is_in_nobodys_state():
    model = small()
    assert not any('teacher' in key for key in model.state_dict())
    assert not any('teacher' in name for name, _ in model.named_parameters())
    before = copy.deepcopy(model.teacher.module.state_dict())
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    model.train()
    model.train_step(batch(), wrapper)
    assert not model.teacher.module.training
    for name, tensor in model.teacher.module.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert copy.deepcopy(model).teacher is model.teacher


def test_every_student_parameter_learns():
    losses = distiller()['losses']
    # without a normalization the deaths of a fresh student may lie where the teacher's images see nothing
    losses['topology']['cloud']['normalization'] = 'mean_distance'
    model = small(losses=losses).train()
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    model.train_step(batch(), wrapper)
    unchanged = {name for name, parameter in model.named_parameters() if torch.equal(parameter, before[name])}
    # moving a cloud changes no death: but for rounding, the bias has no gradient
    assert unchanged <= {'losses.topology.projection.bias'}


def test_teacher_of_another_width_is_projected_and_one_of_the_same_is_not():
    assert small().losses.topology.projection.weight.shape == (32, 16)
    assert small(student=classifier(8)).losses.topology.projection is None


def test_loss_set_to_none_is_left_out():
    losses = distiller()['losses']
    losses['topology'] = None
    assert list(small(losses=losses).losses) == ['kd']


@pytest.mark.parametrize(
    'where, tap, error, message',
    [
        ('student_tap', 'backbone.layer9', KeyError, "CIFARResNet has no module 'layer9'; it has: "),
        (
            'teacher_tap',
            'neck',
            TypeError,
            r"must be one tensor, got a tuple of 1: name one of its outputs, 'neck\[0\]'",
        ),
        ('student_tap', 'neck[3]', TypeError, 'names no tensor: the module returned a tuple of 1'),
        ('student_tap', 'data_preprocessor', ValueError, 'was not reached by the forward pass'),
        ('student_tap', 'neck[a]', ValueError, 'a tap is a module path such as'),
    ],
)
def test_wrong_taps_are_refused_when_the_model_is_built(where, tap, error, message):
    losses = distiller()['losses']
    losses['topology'][where] = tap
    with pytest.raises(error, match=message):
        small(losses=losses)


def test_batch_smaller_than_the_cloud_says_what_to_do():
    model = small().train()
    data = model.data_preprocessor(batch(6), True)
    with pytest.raises(ValueError, match='a cloud needs 8 points, got a batch of 6 images.*drop_last=True'):
        model(**data, mode='loss')


def test_nan_features_name_the_tap():
    model = small().train()
    with torch.no_grad():
        model.student.backbone.layer3[0].conv1.weight.fill_(float('nan'))
    data = model.data_preprocessor(batch(), True)
    with pytest.raises((FloatingPointError, ValueError), match='nan|NaN|finite'):
        model(**data, mode='loss')


def test_nan_in_a_term_names_the_term_and_the_tap():
    losses = distiller()['losses']
    losses['topology'] = None
    model = small(losses=losses).train()
    with torch.no_grad():
        model.student.head.fc.weight.fill_(float('nan'))
    data = model.data_preprocessor(batch(), True)
    with pytest.raises(
        FloatingPointError, match='loss, loss_kd must be finite.*the features at head.fc are not finite'
    ):
        model(**data, mode='loss')


def test_teacher_with_its_own_normalization_sees_the_same_pixels():
    teacher = classifier(8)
    teacher['data_preprocessor'].update(mean=[100.0, 110.0, 120.0], std=[50.0, 60.0, 70.0])
    model = small(teacher=dict(name='other', model=teacher, checkpoint=None))
    data = batch()
    adapted = model.teacher.adapt_inputs(model.data_preprocessor(data, False)['inputs'], model.data_preprocessor)
    expected = model.teacher.module.data_preprocessor(data, False)['inputs']
    assert torch.allclose(adapted, expected, atol=1e-5)


def test_teacher_from_the_host_toolbox_gets_its_channel_order():
    teacher = classifier(8)
    teacher['data_preprocessor'] = dict(
        type='mmpretrain.ClsDataPreprocessor', mean=[100.0, 110.0, 120.0], std=[50.0, 60.0, 70.0], to_rgb=False
    )
    model = small(teacher=dict(name='bgr', model=teacher, checkpoint=None))
    data = batch()
    adapted = model.teacher.adapt_inputs(model.data_preprocessor(data, False)['inputs'], model.data_preprocessor)
    bgr = data['inputs'].flip(1).float()
    expected = (bgr - torch.tensor([100.0, 110.0, 120.0]).view(3, 1, 1)) / torch.tensor([50.0, 60.0, 70.0]).view(
        3, 1, 1
    )
    assert torch.allclose(adapted, expected, atol=1e-4)


def test_teacher_with_another_input_size():
    model = small(teacher=dict(name='large', model=classifier(8), checkpoint=None, input_size=(32, 32)))
    inputs = torch.rand(2, 3, 16, 16)
    assert model.teacher.adapt_inputs(inputs, model.data_preprocessor).shape == (2, 3, 32, 32)
    losses = model.train()(**model.data_preprocessor(batch(), True), mode='loss')
    assert losses['loss_topology'].isfinite()


@pytest.mark.parametrize('given, got', [(dict(), 'neither'), (dict(model=classifier(), config='x.py'), 'both')])
def test_teacher_needs_model_or_config(given, got):
    with pytest.raises(ValueError, match=f"either 'model' .* or 'config' .* got {got}"):
        small(teacher=dict(checkpoint=None, **given))


def test_teacher_from_a_config_file_of_a_host_toolbox():
    model = small(teacher=dict(name='resnet18', config='mmpretrain::resnet/resnet18_8xb16_cifar10.py', checkpoint=None))
    assert model.losses.topology.projection.weight.shape == (512, 16)
    assert not torch.equal(model.teacher.module.data_preprocessor.mean, model.data_preprocessor.mean)


def test_teacher_checkpoint_that_does_not_fit_lists_the_keys(tmp_path):
    torch.save(dict(state_dict=build(classifier(4)).state_dict()), tmp_path / 'narrow.pth')
    with pytest.raises(
        ValueError,
        match=r"teacher 'x': checkpoint .* does not fit ImageClassifier \(\d+ of another shape: backbone.stem",
    ):
        small(teacher=dict(name='x', model=classifier(8), checkpoint=str(tmp_path / 'narrow.pth')))


def test_amp_computes_topology_in_full_precision():
    model = small().train()
    data = model.data_preprocessor(batch(), True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(**data, mode='loss')
    assert losses['loss_topology'].dtype == torch.float32
    model.parse_losses(losses)[0].backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_weight_of_the_students_own_loss_scales_its_gradients():
    gradients = {}
    for weight in (1.0, 0.25):
        torch.manual_seed(0)
        model = small(losses={}, student_loss_weight=weight).train()
        model.parse_losses(model(**model.data_preprocessor(batch(), True), mode='loss'))[0].backward()
        gradients[weight] = [parameter.grad for parameter in model.parameters()]
    for full, quarter in zip(gradients[1.0], gradients[0.25]):
        assert torch.allclose(full / 4, quarter, rtol=1e-5, atol=1e-9)


def test_a_ratio_to_nothing_is_left_out_of_the_log():
    losses = distiller()['losses']
    losses['topology'] = None
    model = small(losses=losses, student_loss_weight=0.0).train()
    logs = model(**model.data_preprocessor(batch(), True), mode='loss')
    assert 'gradient_ratio_kd' not in logs and logs['loss_kd'] > 0


def test_a_ratio_to_nothing_is_said_once(monkeypatch):
    """A zero-initialized head pulls with nothing, or with what single precision makes of it."""
    from topkd.models.distillers import diagnosis

    said = []
    monkeypatch.setattr(diagnosis, 'print_log', lambda line, *rest: said.append(line))
    feature = torch.ones(3, requires_grad=True)
    for other in (0.0, 1e-37):
        terms = dict(loss_kd=feature.sum(), loss=(other * feature).sum())
        assert diagnosis.gradient_ratio(terms, 'loss_kd', feature).isnan()
    terms = dict(loss_kd=feature.sum(), loss=(1e-3 * feature).sum())
    assert diagnosis.gradient_ratio(terms, 'loss_kd', feature).item() == pytest.approx(1000)
    watch = diagnosis.WeakPullWarning('kd')
    watch.update(float('nan')), watch.update(float('nan'))
    assert said == ['gradient_ratio_kd: n/a, no other term pulls at the feature that it taps']


def test_a_term_that_hardly_acts_is_named_once():
    from topkd.models.distillers import diagnosis

    said = []
    watch = diagnosis.WeakPullWarning('topology', patience=3)
    original, diagnosis.print_log = diagnosis.print_log, lambda text, *args: said.append(text)
    try:
        for ratio in (1e-5, 1e-5, 0.1, 1e-5, 1e-5, 1e-5, 1e-5):
            watch.update(ratio)
    finally:
        diagnosis.print_log = original
    assert len(said) == 1 and "loss 'topology' pulled with less than 0.001" in said[0]
