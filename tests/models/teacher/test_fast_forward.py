"""A teacher's faster copy shows what the teacher shows, and is made anew when it must be."""

import pytest
import torch
from mmpretrain.structures import DataSample
from small import batch, build, classifier, distiller
from test_batch_norm_folding import TAPS, with_statistics

from topkd.models import Teacher
from topkd.models.teacher.fast_forward import FORMATS, FastForward, ForwardOptions
from topkd.utils import remembered as memory
from topkd.utils.remembered import remembered


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv('TOPKD_CACHE', str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def make_teacher(**options) -> Teacher:
    torch.manual_seed(0)
    teacher = Teacher(checkpoint=None, model=classifier(8), **options)
    with_statistics(teacher.module)
    return teacher


def read(teacher, taps=TAPS, **more):
    images = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return teacher.features(images, taps, torch.nn.Identity(), **more)


@pytest.mark.parametrize('fold', [True, False])
@pytest.mark.parametrize('memory_format', ['auto', 'contiguous', 'channels_last'])
@pytest.mark.parametrize('compile', [False, 'eager', 'aot_eager'])
def test_features_are_the_teachers(fold, memory_format, compile):
    teacher = make_teacher(fold=fold, memory_format=memory_format, compile=compile)
    expected = read(teacher, as_loaded=True)
    for _ in range(2):  # the first call decides
        found = read(teacher)
        assert list(found) == list(TAPS)
        for path in TAPS:
            largest = expected[path].abs().max().item()
            torch.testing.assert_close(found[path], expected[path], rtol=1e-5, atol=1e-5 * largest)
            assert found[path].is_contiguous() and not found[path].is_inference()


def test_a_batch_of_another_size_is_compiled_too():
    teacher = make_teacher(compile='eager')
    for count in (4, 2):
        images = torch.randn(count, 3, 16, 16)
        expected = teacher.features(images, ['neck[0]'], torch.nn.Identity(), as_loaded=True)['neck[0]']
        found = teacher.features(images, ['neck[0]'], torch.nn.Identity())['neck[0]']
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_features_can_be_saved_for_a_backward_pass():
    points = read(make_teacher())['neck[0]']
    student = torch.ones_like(points, requires_grad=True)
    (student * points).sum().backward()
    assert torch.equal(student.grad, points)


def test_the_teacher_itself_is_left_alone():
    teacher = make_teacher()
    state = {key: value.clone() for key, value in teacher.module.state_dict().items()}
    before = read(teacher, as_loaded=True)
    read(teacher)
    after = read(teacher, as_loaded=True)
    assert all(torch.equal(before[path], after[path]) for path in TAPS)
    assert all(torch.equal(value, state[key]) for key, value in teacher.module.state_dict().items())


def test_the_copy_is_made_for_all_taps_that_were_asked_for(monkeypatch):
    made = []
    monkeypatch.setattr('topkd.models.teacher.fast_forward.print_log', lambda text, *args: made.append(text))
    teacher = make_teacher(memory_format='contiguous')
    stem = ['backbone.stem.conv']  # its output is gone after folding
    for taps in (['neck[0]'], ['neck[0]'], stem, ['neck[0]'], stem):
        read(teacher, taps)
    assert [line.split()[2] for line in made] == ['9', '8']
    expected = read(teacher, stem, as_loaded=True)[stem[0]]
    torch.testing.assert_close(read(teacher, stem)[stem[0]], expected, rtol=1e-5, atol=1e-5)


def test_it_moves_with_its_parent():
    teacher = make_teacher()
    read(teacher)
    teacher.double()
    images = torch.randn(2, 3, 16, 16).double()
    assert teacher.features(images, ['neck[0]'], torch.nn.Identity())['neck[0]'].dtype == torch.float64


def chosen(network, images):
    forward = FastForward(network, ForwardOptions())
    forward(images, ['neck[0]'])
    return forward.memory_format


def test_the_format_is_measured_once_and_remembered(folder, monkeypatch):
    clock = iter(range(10**6))
    speeds = {'contiguous': 5, 'channels_last': 1}
    measured = []

    def seconds(function, device):
        function()
        measured.append(next(clock))
        return list(speeds.values())[(len(measured) - 1) % 2]

    monkeypatch.setattr('topkd.models.teacher.fast_forward.least_seconds', seconds)
    images = torch.randn(2, 3, 16, 16)
    network = with_statistics(build(classifier(8)))
    assert chosen(network, images) == 'channels_last'
    speeds.update(contiguous=0)
    assert chosen(network, images) == 'channels_last'
    assert len(measured) == len(FORMATS)
    other = with_statistics(build(classifier(4)))
    assert chosen(other, images) == 'contiguous'


def test_the_log_has_one_line(caplog, monkeypatch):
    lines = []
    monkeypatch.setattr('topkd.models.teacher.fast_forward.print_log', lambda text, *args: lines.append(text))
    read(make_teacher(memory_format='channels_last', name='big'))
    assert lines == ["teacher 'big': 9 batch normalizations folded into convolutions, channels_last"]


def test_of_processes_that_measure_at_once_the_first_one_decides(folder, monkeypatch):
    def measure():
        remembered('key', lambda: 'first', 'default')  # another process, while this one measures
        return 'second'

    assert remembered('key', measure, 'default') == 'first' == remembered('key', lambda: 'third', 'default')
    assert len(list((folder / 'choices').iterdir())) == 1


def test_a_folder_that_cannot_be_written_gives_the_default(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('TOPKD_CACHE', str(tmp_path / 'file'))
    assert remembered('key', lambda: 'measured', 'default') == 'default'
    monkeypatch.delenv('TOPKD_CACHE')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    assert memory.cache_folder() == tmp_path / 'topkd'


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="memory_format must be 'auto', 'contiguous' or 'channels_last', got 'fast'"):
        make_teacher(memory_format='fast')


def samples(*indices):
    return [DataSample(metainfo=dict(sample_idx=index)) for index in indices]


def test_outputs_are_kept_image_by_image():
    teacher, runs = make_teacher(cache_outputs=True), []
    teacher.module.head.register_forward_hook(lambda *args: runs.append(1))
    images = torch.randn(4, 3, 16, 16)
    first = teacher.features(images, ['neck[0]', 'head.fc'], torch.nn.Identity(), samples(7, 3, 9, 1))
    count = len(runs)
    order = [2, 0, 3]
    found = teacher.features(images[order], ['neck[0]', 'head.fc'], torch.nn.Identity(), samples(9, 7, 1))
    assert len(runs) == count
    assert all(torch.equal(found[path], first[path][order]) for path in found)
    teacher.features(images[:1], ['neck[0]'], torch.nn.Identity(), samples(5))
    assert len(teacher._outputs) == 5


def test_kept_outputs_refuse_what_they_cannot_know():
    teacher = make_teacher(cache_outputs=True)
    images = torch.randn(2, 3, 16, 16)
    teacher.features(images, ['neck[0]'], torch.nn.Identity(), samples(7, 3))
    with pytest.raises(ValueError, match="tap 'head.fc.weight' has no feature for each image: set teacher.cache_out"):
        teacher.features(images, ['head.fc.weight'], torch.nn.Identity(), samples(7, 3))
    with pytest.raises(ValueError, match='for images that never change, but image 3 was another one before'):
        teacher.features(images.flip(3).roll(1, 0), ['neck[0]'], torch.nn.Identity(), samples(3, 4))
    with pytest.raises(ValueError, match='without sample_idx'):
        teacher.features(images, ['neck[0]'], torch.nn.Identity(), samples())


@pytest.mark.parametrize('options', [{}, dict(fold=False), dict(cache_outputs=True)])
def test_a_training_step_is_that_of_the_exact_teacher(options):
    logs = []
    for given in (dict(fold=False, memory_format='contiguous'), options):
        torch.manual_seed(3)
        config = distiller()
        config['teacher'].update(given)
        model = build(config).train()
        data = model.data_preprocessor(dict(batch(), sample_idx=torch.arange(8)), True)
        logs.append(model(data['inputs'], data['data_samples'], mode='loss'))
    for key, value in logs[0].items():
        torch.testing.assert_close(logs[1][key], value, rtol=1e-4, atol=1e-5)
