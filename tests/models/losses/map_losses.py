"""What the tests of losses between maps share: a step through a real distiller, half precision, gradients."""

import torch
from small import batch, build, classifier
from torch import nn

from topkd.models.teacher import Teacher


def small_distiller(loss, student_width=4, teacher_width=8, student=None):
    """Build a distiller of two small ResNets with one loss."""
    torch.manual_seed(0)
    return build(
        dict(
            type='topkd.Distiller',
            student=classifier(student_width) if student is None else student,
            teacher=dict(name='small', model=classifier(teacher_width), checkpoint=None),
            losses=dict(method=loss),
            probe_shape=(3, 16, 16),
        )
    )


def small_teacher(width=8):
    """Return a frozen small ResNet whose pooled vector has 4 * width channels and which knows 10 classes."""
    torch.manual_seed(1)
    return Teacher(None, model=classifier(width))


def step(model, count=8):
    """Take one step of SGD and return the log of its losses."""
    optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.1)
    data = model.data_preprocessor(batch(count), training=True)
    losses = model.train()(**data, mode='loss')
    sum(value for key, value in losses.items() if key.startswith('loss')).backward()
    optimizer.step()
    return losses


def assert_one_step_trains(loss, learns, **networks):
    """Check that a step changes the student, and all parameters of the loss if it has any."""
    model = small_distiller(loss, **networks)
    before = {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad}
    teacher = {name: value.clone() for name, value in model.teacher.module.state_dict().items()}
    losses = step(model)
    assert losses['loss_method'].isfinite() and losses['loss_method'] != 0
    assert losses['gradient_ratio_method'] > 0
    moved = {
        name for name, value in model.named_parameters() if name in before and not torch.equal(value, before[name])
    }
    assert {name for name in before if name.startswith('student.backbone')} <= moved
    learned = {name for name in before if name.startswith('losses')}
    assert bool(learned) == learns and learned <= moved
    assert all(torch.equal(value, teacher[name]) for name, value in model.teacher.module.state_dict().items())
    return model


def assert_half_precision_is_close(loss: nn.Module, student, teacher, tolerance=0.02):
    """Check the value of bfloat16 features under autocast against the value of the same features in float32."""
    student = [level.bfloat16() for level in student]
    teacher = [level.bfloat16() for level in teacher]
    single = len(student) == 1
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = loss(student[0] if single else student, teacher[0] if single else teacher)
    student, teacher = [level.float() for level in student], [level.float() for level in teacher]
    expected = loss(student[0] if single else student, teacher[0] if single else teacher)
    assert value.isfinite() and torch.allclose(value.float(), expected, rtol=tolerance, atol=1e-4)


def assert_gradient_is_the_students(loss, student, teacher):
    """Check that the loss pulls at the student only, even if the teacher's features ask for gradients."""
    student = [level.clone().requires_grad_() for level in student]
    teacher = [level.clone().requires_grad_() for level in teacher]
    single = len(student) == 1
    loss(student[0] if single else student, teacher[0] if single else teacher).backward()
    assert all(level.grad.isfinite().all() and level.grad.abs().sum() > 0 for level in student)
    assert all(level.grad is None for level in teacher)


def assert_zeros_leave_finite_gradients(loss, student, teacher):
    """Check the gradients at maps of zeros, and at equal maps if the shapes allow."""
    for ours, theirs in ((0, 1), (1, 0), (0, 0)):
        levels = [(level * ours).requires_grad_() for level in student]
        targets = [level * theirs for level in teacher]
        single = len(levels) == 1
        loss(levels[0] if single else levels, targets[0] if single else targets).backward()
        assert all(level.grad.isfinite().all() for level in levels)
