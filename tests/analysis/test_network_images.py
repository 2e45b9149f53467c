"""Images of teacher and students: their numbers against direct computations, and where projection and spec come from."""

import weakref

import numpy as np
import pytest
import torch
from small import batch, build, distiller

from topkd.analysis.cost.released_route import ReleasedRoute
from topkd.analysis.image_error import image_errors
from topkd.analysis.images import network_images as module
from topkd.analysis.images.network_images import NetworkImages, image_figures, network_images
from topkd.analysis.images.vectorizers import exact_twin, load_spec, vectorizers_of
from topkd.analysis.student_checkpoints import load_projections, load_students
from topkd.analysis.trained_students import TrainedStudents
from topkd.models import RipsImage, RipsNet
from topkd.utils.checkpoint import save_file

SPEC = dict(bandwidth=0.5, im_range=[0.0, 0.0, 0.0, 3.0], scale=20.0, resolution=[20, 20])


@pytest.fixture
def pair(tmp_path):
    """Return a pair of different widths, its RipsNet, and the checkpoints of two students: a whole one and a plain one."""
    torch.manual_seed(0)
    network = RipsNet(32)
    save_file(network.to_file(spec=SPEC), tmp_path / 'ripsnet.pth')
    vectorizer = dict(type='RipsNet', checkpoint=str(tmp_path / 'ripsnet.pth'))
    losses = dict(
        topology=dict(type='TopologyLoss', cloud=dict(type='BatchCloud', num_points=8), vectorizer=vectorizer)
    )
    model = build(distiller(student_width=4, losses=losses)).eval()
    state = {key: torch.rand_like(value) if 'projection' in key else value for key, value in model.state_dict().items()}
    plain = {key[len('student.') :]: value + 1 for key, value in state.items() if key.startswith('student.')}
    checkpoints = {}
    for name, content in dict(whole=state, plain=plain).items():
        save_file(dict(state_dict=content), tmp_path / f'{name}.pth')
        checkpoints[name] = str(tmp_path / f'{name}.pth')
    return model, network, checkpoints


def test_images_and_figures_are_those_of_the_networks_clouds(pair):
    model, network, checkpoints = pair
    checkpoints = dict(trained=checkpoints['whole'])
    loss = model.losses.topology
    projections, students = load_projections(loss, 'topology', checkpoints), load_students(model, checkpoints)
    exact, approximate = vectorizers_of(loss)
    batches = [batch(16, seed=seed) for seed in range(3)]
    trained = TrainedStudents(model, students, loss, projections)
    images = network_images(trained, batches, exact, approximate, limit=2)
    assert list(images) == ['teacher', 'trained']

    weights = torch.load(checkpoints['trained'], weights_only=True)['state_dict']
    with torch.no_grad():
        inputs = torch.cat([model.data_preprocessor(item, False)['inputs'] for item in batches[:2]])
        teacher = model.teacher.module.extract_feat(inputs)[0].reshape(4, 8, 32)
        student = model.student.extract_feat(inputs)[0] @ weights['losses.topology.projection.weight'].T
        student = (student + weights['losses.topology.projection.bias']).reshape(4, 8, 32)
        for name, clouds in dict(teacher=teacher, trained=student).items():
            released = ReleasedRoute(SPEC)(clouds)  # gudhi
            torch.testing.assert_close(images[name].exact, torch.from_numpy(released).float(), rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(images[name].approximated, network(clouds))
            distances = torch.cdist(clouds.double(), clouds.double())
            assert ((images[name].outside == 0) == (distances.amax(dim=(1, 2)) < 3)).all()

    figures = image_figures(images['trained'], images['teacher'])
    exact_images, approximated = (np.asarray(kind, dtype=float) for kind in images['trained'][:2])
    assert figures['clouds'] == 4
    assert figures['mse'] == pytest.approx(((exact_images - approximated) ** 2).mean())
    assert figures['l2'] == pytest.approx(np.sqrt(((exact_images - approximated) ** 2).sum(1)).mean())
    assert figures['teacher_exact'] == pytest.approx(((exact_images - np.asarray(images['teacher'].exact)) ** 2).mean())
    assert figures['teacher_approximated'] == pytest.approx(
        ((approximated - np.asarray(images['teacher'].approximated)) ** 2).mean()
    )
    assert image_figures(images['teacher'], images['teacher'])['teacher_exact'] == 0


def test_errors_are_those_of_image_errors(pair):
    model, network, checkpoints = pair
    loss, checkpoints = model.losses.topology, dict(trained=checkpoints['whole'])
    exact = exact_twin(loss.vectorizer.module)
    batches = [batch(16, seed=seed) for seed in range(2)]
    projections = load_projections(loss, 'topology', checkpoints)
    trained = TrainedStudents(model, load_students(model, checkpoints), loss, projections)
    images = network_images(trained, batches, exact, loss.vectorizer.module)
    # the preprocessor of these networks augments nothing
    expected = image_errors(trained, batches, loss.vectorizer, exact)
    assert list(expected) == ['teacher', 'trained']
    for name in expected:
        figures = image_figures(images[name], images['teacher'])
        for key in ('mse', 'l2', 'outside', 'clouds'):
            assert figures[key] == pytest.approx(expected[name][key], rel=1e-5), (name, key)


def test_a_projection_comes_from_the_checkpoint_or_there_is_none(pair):
    model, _, checkpoints = pair
    loss = model.losses.topology
    weights = torch.load(checkpoints['whole'], weights_only=True)['state_dict']
    found = load_projections(loss, 'topology', dict(whole=checkpoints['whole']))['whole']
    assert torch.equal(found.weight, weights['losses.topology.projection.weight'])
    with pytest.raises(
        ValueError,
        match=r"plain.pth' holds no trained projection from the student's points of width 16 to the "
        r"teacher's of 32: name the whole checkpoint of a distillation with this loss",
    ):
        load_projections(loss, 'topology', checkpoints)
    # the loss of another run may have another name
    with pytest.raises(ValueError, match='holds no trained projection'):
        load_projections(loss, 'stage', dict(whole=checkpoints['whole']))
    weights['losses.topology.projection.weight'] = torch.zeros(3, 3)
    save_file(dict(state_dict=weights), checkpoints['whole'])
    with pytest.raises(ValueError, match=r'1 of another shape: weight \(3, 3\) instead of \(32, 16\)'):
        load_projections(loss, 'topology', dict(whole=checkpoints['whole']))
    loss.projection = None
    assert load_projections(loss, 'topology', checkpoints) == dict(whole=None, plain=None)


def test_spec_of_exact_images_is_that_of_the_first_training_or_of_the_clouds_shown(tmp_path):
    torch.manual_seed(0)
    checkpoints = {}
    for number, name in enumerate(('unfitted', 'first', 'second')):
        model = build(distiller(student_width=8))
        if number:
            model.losses.topology.vectorizer.imager.load_spec(dict(SPEC, bandwidth=float(number)))
        save_file(dict(state_dict=model.state_dict()), tmp_path / f'{name}.pth')
        checkpoints[name] = str(tmp_path / f'{name}.pth')
    exact, approximate = vectorizers_of(build(distiller(student_width=8)).losses.topology)
    assert approximate is None and load_spec(exact, 'topology', dict(unfitted=checkpoints['unfitted'])) is None
    assert load_spec(exact, 'topology', checkpoints) == 'first' and exact.imager.bandwidth == 1.0
    assert load_spec(exact, 'topology', dict(second=checkpoints['second'])) is None and exact.imager.bandwidth == 1.0

    model = build(distiller(student_width=8)).eval()
    loss = model.losses.topology
    fresh = vectorizers_of(loss)[0]
    images = network_images(TrainedStudents(model, {}, loss), [batch(16)], fresh)
    clouds = model.teacher.module.extract_feat(model.data_preprocessor(batch(16), False)['inputs'])[0].reshape(2, 8, 32)
    deaths = [torch.cdist(cloud, cloud)[~torch.eye(8, dtype=torch.bool)].min() for cloud in clouds.double()]
    assert fresh.imager.im_range[2].item() == pytest.approx(min(deaths).item(), rel=1e-4)
    assert images['teacher'].exact.max() == pytest.approx(1.0) and images['teacher'].approximated is None
    assert set(image_figures(images['teacher'], images['teacher'])) == {'clouds', 'outside', 'teacher_exact'}


def test_ripsnet_without_a_spec_is_shown_alone_where_that_is_allowed(pair):
    model, _, _ = pair
    loss = model.losses.topology
    loss.vectorizer.module.spec = None
    with pytest.raises(ValueError, match='holds no spec of its images'):
        vectorizers_of(loss)
    exact, approximate = vectorizers_of(loss, require_spec=False)
    assert exact is None and approximate is loss.vectorizer.module
    images = network_images(TrainedStudents(model, {}, loss), [batch(16)], exact, approximate)
    assert images['teacher'].exact is None and images['teacher'].outside is None
    assert image_figures(images['teacher'], images['teacher']) == dict(clouds=2, teacher_approximated=0.0)


def test_a_loss_without_images_gets_exact_ones():
    losses = dict(
        topology=dict(type='TopologyLoss', distance='sorted_deaths', cloud=dict(type='BatchCloud', num_points=8))
    )
    exact, approximate = vectorizers_of(build(distiller(student_width=8, losses=losses)).losses.topology)
    assert isinstance(exact, RipsImage) and approximate is None and not exact.imager.fitted


@pytest.mark.parametrize('fitted', [True, False])
def test_diagrams_are_computed_once_and_clouds_are_not_kept(pair, monkeypatch, fitted):
    model, network, _ = pair
    loss, exact = model.losses.topology, RipsImage(spec=SPEC if fitted else None)
    batches, made, alive, computed = [batch(16, seed=seed) for seed in range(4)], [], [], []
    make, compute = TrainedStudents.clouds_of, module.rips_diagrams

    def clouds(*args):
        alive.append(sum(reference() is not None for reference in made))
        found = make(*args)
        made.append(weakref.ref(found['teacher']))
        return found

    monkeypatch.setattr(TrainedStudents, 'clouds_of', clouds)
    monkeypatch.setattr(module, 'rips_diagrams', lambda *args: computed.append(args[1]) or compute(*args))
    images = network_images(TrainedStudents(model, {}, loss), batches, exact, network)['teacher']
    assert max(alive) <= 1 and len(computed) == 4 and exact.imager.fitted
    with torch.no_grad():
        inputs = torch.cat([model.data_preprocessor(item, False)['inputs'] for item in batches])
        points = model.teacher.module.extract_feat(inputs)[0].reshape(8, 8, 32)
        torch.testing.assert_close(
            images.exact, torch.from_numpy(ReleasedRoute(exact.imager.spec())(points)).float(), rtol=1e-4, atol=1e-5
        )
        torch.testing.assert_close(images.approximated, network(points))


def test_batches_that_make_no_cloud_are_passed_over(pair):
    model, network, _ = pair
    images = network_images(TrainedStudents(model, {}, model.losses.topology), [batch(12), batch(16)], None, network)
    assert images['teacher'].approximated.shape == (2, 400)


def test_too_few_images(pair):
    model, _, _ = pair
    with pytest.raises(ValueError, match='too few images for one cloud of 8: name a larger split'):
        network_images(TrainedStudents(model, {}, model.losses.topology), [], None)


def test_figures_of_hand_made_images():
    exact, approximated = torch.tensor([[0.0, 3.0], [0.0, 0.0]]), torch.tensor([[4.0, 0.0], [1.0, 0.0]])
    network = NetworkImages(exact, approximated, torch.tensor([0.5, 0.0]))
    teacher = NetworkImages(exact + 1, approximated, torch.zeros(2))
    assert image_figures(network, teacher) == dict(
        clouds=2, outside=0.25, teacher_exact=1.0, teacher_approximated=0.0, mse=(16 + 9 + 1) / 4, l2=(5 + 1) / 2
    )
