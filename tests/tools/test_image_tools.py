"""Images of networks, errors of images and costs, as a user calls them: their numbers, files and messages."""

import json
import os

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from mmengine.registry import MODELS
from torch.utils.flop_counter import FlopCounterMode

from topkd.analysis.cost.released_route import ReleasedRoute
from topkd.analysis.image_error import image_errors
from topkd.analysis.images.vectorizers import exact_twin
from topkd.analysis.trained_students import TrainedStudents
from topkd.datasets.digits import Digits
from topkd.models import RipsNet
from topkd.utils.checkpoint import save_file

SPEC = dict(bandwidth=0.5, im_range=[0.0, 0.0, 0.0, 3.0], scale=20.0, resolution=[20, 20])


@pytest.fixture
def networks(random_networks, tmp_path):
    """Write random weights of a teacher, two students and a RipsNet; return the networks by name."""
    result = dict(random_networks, ripsnet=RipsNet(64))
    save_file(result['ripsnet'].to_file(spec=SPEC), tmp_path / 'ripsnet.pth')
    return result


@pytest.fixture
def config(digits_config, networks, tmp_path):
    """Return a function that writes a pair's config with clouds of 16 digits, and returns its path."""

    def write(name: str = 'topkd/resnet20-resnet8_digits.py', **options) -> str:
        cfg = digits_config(name, **{'model.losses.topology.cloud.num_points': 16, **options})
        cfg.model.teacher.checkpoint = str(tmp_path / 'teacher.pth')
        if cfg.model.losses.topology.vectorizer.type == 'RipsNet':
            cfg.model.losses.topology.vectorizer.checkpoint = str(tmp_path / 'ripsnet.pth')
        cfg.pop('work_dir')
        cfg.dump(tmp_path / 'pair.py')
        return str(tmp_path / 'pair.py')

    return write


def expected_clouds(network, digits_config, seed: int) -> torch.Tensor:
    """Return the clouds of a network on the 64 test digits in the order of a seed, without the package's evaluation."""
    data = Digits('test', indices=64)
    cfg = digits_config('baselines/resnet8_digits.py')
    mean, std = (torch.tensor(cfg.data_preprocessor[key])[:, None, None] for key in ('mean', 'std'))
    order = torch.randperm(64, generator=torch.Generator().manual_seed(seed))  # MMEngine's DefaultSampler
    with torch.no_grad():
        return network.extract_feat((data.images[order].float() - mean) / std)[0].reshape(4, 16, 64)


def test_images_of_teacher_and_students(call, config, networks, digits_config):
    code, out, err = call(
        'analysis/images.py', config(), 'plain=plain.pth', 'KD.pth', '--clouds', '2', '--seed', '3', '--out', 'out'
    )
    assert code == 0, err
    report = json.load(open('out/images.json'))
    assert report['seed'] == 3 and report['split'] == 'test' and report['spec'] == SPEC
    assert list(report['networks']) == ['teacher', 'plain', 'KD'] and 'images.py' in report['command']
    exact, approximated = {}, {}
    for name in report['networks']:
        clouds = expected_clouds(networks[name], digits_config, 3)
        exact[name] = ReleasedRoute(SPEC)(clouds)  # gudhi
        with torch.no_grad():
            approximated[name] = networks['ripsnet'](clouds).numpy()
        difference = exact[name] - approximated[name]
        expected = dict(
            mse=(difference**2).mean(),
            l2=np.sqrt((difference**2).sum(1)).mean(),
            clouds=4,
            teacher_exact=((exact[name] - exact['teacher']) ** 2).mean(),
            teacher_approximated=((approximated[name] - approximated['teacher']) ** 2).mean(),
        )
        found = report['networks'][name]
        assert {key: found[key] for key in expected} == pytest.approx(expected, rel=1e-3), name
        row = next(line for line in out.splitlines() if line.startswith(name)).split()
        assert row == [
            name,
            '4',
            f'{found["mse"]:.6f}',
            f'{found["l2"]:.6f}',
            f'{found["teacher_exact"]:.6f}',
            f'{found["teacher_approximated"]:.6f}',
            f'{found["outside"]:.1%}',
        ]
    assert 'spec of the images: of the RipsNet file' in out
    assert out.strip().endswith('out/images.json\nout/images_cloud1.png\nout/images_cloud2.png')
    assert imread('out/images_cloud2.png').shape[:2] == (1440, round(200 * (2.3 * 3 + 1.6)))
    assert sorted(os.listdir('out')) == ['images.json', 'images_cloud1.png', 'images_cloud2.png']


def test_exact_configs_show_exact_images_unless_a_ripsnet_is_named(call, config, networks, digits_config):
    path = config('topkd/resnet20-resnet8_digits_exact.py')
    code, out, err = call('analysis/images.py', path, 'plain.pth', '--clouds', '1')
    assert code == 0, err
    assert (
        "spec of the images: fitted on these clouds of the teacher's" in out
        and 'by RipsNet ' not in out.splitlines()[0]
    )
    report = json.load(open('work_dirs/pair/analysis/images.json'))
    assert set(report['networks']['plain']) == {'clouds', 'outside', 'teacher_exact'}
    images = [
        ReleasedRoute(report['spec'])(expected_clouds(networks[name], digits_config, 0))
        for name in ('teacher', 'plain')
    ]
    assert report['networks']['plain']['teacher_exact'] == pytest.approx(
        ((images[0] - images[1]) ** 2).mean(), rel=1e-3
    )
    assert images[0].max() == pytest.approx(1.0, rel=1e-4)  # the scale of the fit
    code, out, err = call('analysis/images.py', path, 'plain.pth', '--clouds', '1', '--ripsnet', 'ripsnet.pth')
    assert code == 0 and 'spec of the images: of the RipsNet file' in out
    assert json.load(open('work_dirs/pair/analysis/images.json'))['networks']['plain']['mse'] > 0


def test_projected_students_need_the_projection(call, config, networks, digits_config, tmp_path):
    # the teacher's tap is 64 wide, the student's 32
    path = config(
        **{'model.losses.topology.student_tap': 'backbone.layer2', 'model.losses.topology.teacher_tap': 'neck[0]'}
    )
    code, out, err = call('analysis/images.py', path, 'plain=plain.pth')
    assert code == 1 and err.startswith(
        "error: checkpoint 'plain.pth' holds no trained projection from the student's points of width "
        "32 to the teacher's of 64: name the whole checkpoint of a distillation with this loss"
    )
    projection = torch.nn.Linear(32, 64)
    state = {f'student.{key}': value for key, value in networks['plain'].state_dict().items()}
    state.update({f'losses.topology.projection.{key}': value for key, value in projection.state_dict().items()})
    save_file(dict(state_dict=state), tmp_path / 'whole.pth')
    code, out, err = call('analysis/images.py', path, 'TopKD=whole.pth', '--clouds', '1', '--out', 'out')
    assert code == 0, err
    assert [line.split()[:2] for line in out.splitlines()[1:3]] == [['teacher', '4'], ['TopKD', '4']]


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['none.pth'], "checkpoint 'none.pth' does not exist"),
        (
            ['plain.pth', '--loss', 'kd'],
            "model.losses has no topology loss 'kd' (it has: topology): name one of them by --loss",
        ),
        (['plain.pth', '--clouds', '0'], '--clouds must be 1 or more, got 0'),
        (['plain.pth', '--ripsnet', 'none.pth'], "RipsNet 'none.pth' does not exist; make it with"),
        (['plain.pth', '--cfg-options', 'test_dataloader.dataset.indices=15'], 'too few images for one cloud of 16'),
        (['teacher=plain.pth'], "'teacher' is the name of the config's own teacher"),
    ],
)
def test_mistakes_with_images_end_in_one_sentence(call, config, arguments, message):
    code, out, err = call('analysis/images.py', config(), *arguments)
    assert code == 1 and message in err and 'Traceback' not in err


def test_image_error_prints_what_image_errors_computes(call, config, networks, digits_config):
    options = {
        'data_preprocessor.crop_padding': 0
    }  # no random numbers but the order of the images, which the seed decides
    code, out, err = call('analysis/image_error.py', config(**options), 'plain.pth', '--batches', '2')
    assert code == 0, err
    cfg = digits_config('topkd/resnet20-resnet8_digits.py', **options)
    cfg.model.losses.topology.cloud.num_points = 16
    cfg.model.teacher.checkpoint, cfg.model.losses.topology.vectorizer.checkpoint = 'teacher.pth', 'ripsnet.pth'
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    model.student.load_state_dict(networks['plain'].state_dict())
    exact = exact_twin(RipsNet(checkpoint='ripsnet.pth'))
    trained = TrainedStudents(model, dict(student=model.student), model.losses.topology, cfg=cfg)
    errors = image_errors(trained, trained.image_loader('train', augment=True), networks['ripsnet'], exact, 2)
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in out.splitlines()[1:5]}
    assert list(rows) == [('teacher', 'RipsNet'), ('student', 'RipsNet'), ('teacher', 'exact'), ('student', 'exact')]
    for network, found in errors.items():
        assert rows[network, 'RipsNet'] == ['8', f'{found["mse"]:.6f}', f'{found["l2"]:.4f}', f'{found["outside"]:.1%}']
        assert rows[network, 'exact'] == ['8', '0.000000', '0.0000', f'{found["outside"]:.1%}']


def test_image_error_is_repeatable_and_all_passes_see_the_same_images(call, config):
    reports = []
    for options in (['--out', 'out'], ['--out', 'out'], ['--seed', '1', '--out', 'out'], []):  # randomly cropped digits
        code, out, err = call('analysis/image_error.py', config(), 'plain.pth', '--batches', '2', *options)
        assert code == 0, err
        folder = 'out' if options else 'work_dirs/pair/analysis'
        assert out.strip().endswith(f'{folder}/image_error.json')
        reports.append(json.load(open(f'{folder}/image_error.json')))
    assert reports[0]['errors'] == reports[1]['errors'] == reports[3]['errors'] != reports[2]['errors']
    assert (
        reports[0]['seed'] == 0
        and reports[2]['seed'] == 1
        and reports[0]['spec'] == SPEC
        and reports[0]['checkpoint'] == 'plain.pth'
    )
    for network in ('teacher', 'student'):
        assert reports[2]['errors']['RipsNet'][network]['outside'] == reports[2]['errors']['exact'][network]['outside']
    row = next(line for line in out.splitlines() if line.startswith('student')).split()
    found = reports[3]['errors']['RipsNet']['student']
    assert row[2:] == [str(found['clouds']), f'{found["mse"]:.6f}', f'{found["l2"]:.4f}', f'{found["outside"]:.1%}']


def test_image_error_against_gudhi(call, config, networks, digits_config):
    code, out, err = call(
        'analysis/image_error.py',
        config(**{'data_preprocessor.crop_padding': 0}),
        'KD.pth',
        '--batches',
        '1',
        '--cfg-options',
        'train_dataloader.sampler.shuffle=False',
    )
    assert code == 0, err
    data = Digits('train', indices=64)
    cfg = digits_config('baselines/resnet8_digits.py')
    mean, std = (torch.tensor(cfg.data_preprocessor[key])[:, None, None] for key in ('mean', 'std'))
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in out.splitlines()[1:5]}
    with torch.no_grad():
        for name, network in dict(teacher='teacher', student='KD').items():
            clouds = networks[network].extract_feat((data.images.float() - mean) / std)[0].reshape(4, 16, 64)
            difference = networks['ripsnet'](clouds).double().numpy() - ReleasedRoute(SPEC)(clouds)
            assert rows[name, 'RipsNet'][1] == f'{(difference**2).mean():.6f}'
            assert float(rows[name, 'RipsNet'][2]) == pytest.approx(np.sqrt((difference**2).sum(1)).mean(), abs=1e-4)


@pytest.mark.parametrize(
    'name, options, arguments, message',
    [
        (
            'topkd/resnet20-resnet8_digits_exact.py',
            {},
            [],
            "loss 'topology' compares no images by RipsNet: name the config of the twin with",
        ),
        (
            'topkd/resnet20-resnet8_digits.py',
            {'model.losses.topology.distance': 'sorted_deaths'},
            [],
            'compares no images by RipsNet',
        ),
        (
            'topkd/resnet20-resnet8_digits.py',
            {},
            ['--loss', 'nothing'],
            "no topology loss 'nothing' (it has: topology): name one of them by",
        ),
        ('topkd/resnet20-resnet8_digits.py', {}, ['--loss', 'kd'], "no topology loss 'kd' (it has: topology)"),
        (
            'topkd/resnet20-resnet8_digits.py',
            {'model.losses.topology.student_tap': 'backbone.layer2', 'model.losses.topology.teacher_tap': 'neck[0]'},
            [],
            'holds no trained projection',
        ),
    ],
)
def test_mistakes_with_image_error_end_in_one_sentence(call, config, name, options, arguments, message):
    code, out, err = call('analysis/image_error.py', config(name, **options), 'plain.pth', *arguments)
    assert code == 1 and message in err and len(err.strip().splitlines()) == 1


def test_image_error_refuses_a_ripsnet_without_spec(call, config, networks, tmp_path):
    path = config()
    save_file(networks['ripsnet'].to_file(), tmp_path / 'ripsnet.pth')
    code, out, err = call('analysis/image_error.py', path, 'plain.pth')
    assert code == 1 and 'the RipsNet file holds no spec of its images' in err


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr('topkd.analysis.cost.route_times.SECONDS_A_TURN', 0.0)


def test_cost_of_the_papers_sizes(call, quick):
    code, out, err = call('analysis/cost.py', '--repeats', '1', '--batch-sizes', '1', '--out', 'out')
    assert code == 0, err
    lines = [line.split() for line in out.splitlines()]
    operations = [line[-4:] for line in lines if line[:2] == ['RipsNet,', 'operations']]
    assert operations == [['1.131', 'M'] * 2, ['235.1', 'M'] * 2]
    assert [line[-1] for line in lines if line[:2] == ['RipsNet,', 'parameters']] == ['113,896', '577,576']
    costs = json.load(open('out/cost.json'))['costs']
    assert [cost['flops'] for cost in costs] == [1_130_704, 235_116_624]
    gudhi = [line[-2:] for line in lines if line[:1] == ['gudhi,']]
    assert [row[0] for row in gudhi] == ['1.07', '22.83']
    assert [float(row[1]) for row in gudhi] == pytest.approx(
        [cost['ms']['gudhi, released route']['1'] for cost in costs], rel=0.01
    )
    assert imread('out/cost.png').shape[2] == 4


def test_cost_of_another_size_and_of_a_config(call, quick, config):
    code, out, err = call('analysis/cost.py', '--points', '5', '--width', '32', '--repeats', '1', '--batch-sizes', '2')
    cost = json.load(open('work_dirs/cost/cost.json'))['costs'][0]
    with FlopCounterMode(display=False) as counter:
        RipsNet(32)(torch.zeros(1, 5, 32))
    assert code == 0 and cost['flops'] == counter.get_total_flops() and list(cost['ms']['RipsNet']) == ['2']
    path = config(**{'model.losses.topology.vectorizer.homology_dims': [0, 1]})
    code, out, err = call('analysis/cost.py', path, '--repeats', '1', '--batch-sizes', '1')
    assert (
        code == 0
        and 'pair: clouds of 16 points of width 64, homology 0+1, units 64, 64, 32, 32, 50, 100, 200, 400' in out
    )
    cost = json.load(open('work_dirs/cost/cost.json'))['costs'][0]
    assert cost['flops'] == 2 * (16 * 7168 + 106_600) and cost['difference'] < 1e-4 and cost['homology_dims'] == [0, 1]


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--points', '5'], 'the size of clouds is told by a config, or by --points and --width together'),
        (['--points', '1', '--width', '4'], '--points must be 2 or more'),
        (['--batch-sizes', '0'], '--batch-sizes and --repeats 1 or more'),
        (['none.py'], "config 'none.py' does not exist"),
        (['--device', 'foo'], "device 'foo' cannot be used"),
        (['--device', 'cuda:99'], "device 'cuda:99' cannot be used"),
    ],
)
def test_mistakes_with_cost_end_in_one_sentence(call, arguments, message):
    code, out, err = call('analysis/cost.py', *arguments)
    assert code == 1 and message in err


def test_cost_of_a_config_that_distils_nothing(call, digits_config, tmp_path):
    digits_config('baselines/resnet8_digits.py').dump(tmp_path / 'plain.py')
    code, out, err = call('analysis/cost.py', 'plain.py')
    assert code == 1 and 'the config has no teacher: name a distillation config' in err
