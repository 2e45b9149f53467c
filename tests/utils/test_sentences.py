"""What a user is told of an error: where in the config or in the network it came from."""

import errno
import os
import re
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import MODELS, PARAM_SCHEDULERS, TRANSFORMS
from mmengine.runner import Runner
from mmpretrain.evaluation import Accuracy
from mmpretrain.structures import DataSample
from small import build, classifier, distiller
from torch import nn
from torch.utils.data import DataLoader, Dataset

from topkd.models.losses.parts.memory_bank import training_labels
from topkd.utils.sentences import sentence


def of(function, cfg: Config | None = None) -> str | None:
    """Return the sentence of the error that a function raises, called by a tool that has read a config."""
    try:
        function()
    except Exception as error:
        return sentence(error)
    raise AssertionError('nothing was raised')


def building(**changes) -> str | None:
    cfg = Config(dict(model=distiller(**changes)))
    return of(lambda: build(cfg.model), cfg)


def test_components_are_named_by_their_place():
    assert building(losses=dict(kd=dict(type='KDLoss', tau=0))).startswith(
        'model.losses.kd (KDLoss): tau must be positive, got 0'
    )
    assert building(losses=dict(kd=dict(type='KDLoss', tua=4))) == (
        "model.losses.kd: KDLoss has no argument 'tua': correct its name in the config, or leave it out"
    )
    assert "the type 'KDLos'" in building(losses=dict(kd=dict(type='KDLos'))) or 'KDLos' in building(
        losses=dict(kd=dict(type='KDLos'))
    )
    assert "must be a dict with its 'type', got {'tau': 4}" in building(losses=dict(kd=dict(tau=4)))
    assert 'KDLoss: tau must be of type float, got ' in building(losses=dict(kd=dict(type='KDLoss', tau='4')))
    student = dict(classifier(4), backbone=dict(type='topkd.CIFARResNet', depth='8'))
    assert building(student=student) == (
        "model.student.backbone (topkd.CIFARResNet): depth must be of type int, got '8': correct it in the config"
    )
    assert 'student must be the config of a network, got None' in building(student=None)
    assert "Teacher has no argument 'foo'" in building(teacher=dict(foo=1, checkpoint=None))
    assert "a teacher needs either 'model' (a dict) or 'config' (a file), got neither" in building(
        teacher=dict(name='small')
    )


def test_modules_are_named_by_their_path():
    network = build(dict(classifier(), head=dict(type='mmpretrain.LinearClsHead', num_classes=10, in_channels=7)))
    network.init_weights()

    def run():
        network(torch.zeros(2, 3, 16, 16), mode='tensor')

    def call():
        nn.Sequential(nn.ReLU(), nn.Sequential(nn.Linear(3, 4)))(torch.zeros(2, 7))

    assert of(call).startswith("module '1.0' (Linear) cannot process a tensor (2, 7): RuntimeError")
    assert "'head.fc' (Linear) cannot process a tensor (2, 32)" in of(run)


def test_entries_that_a_config_lacks():
    cfg = Config(dict(train_cfg=dict(by_epoch=True)))
    assert "the config has no entry 'train_cfg.max_epochs'" in of(lambda: cfg.train_cfg['max_epochs'], cfg)
    assert "the config has no entry 'model'" in of(lambda: cfg.model, cfg)


class Broken(Dataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        raise ValueError(f'sample {index} is too short: replace it')


def test_errors_out_of_a_worker_process():
    loader = DataLoader(Broken(), num_workers=1)
    assert of(lambda: next(iter(loader))) == 'sample 0 is too short: replace it'


@pytest.mark.parametrize(
    'number, words',
    [
        (errno.ENOSPC, "the disk of 'a/b' is full: free space there, then give the same command again"),
        (errno.ELOOP, "'a/b' is a link, or one of many that lead nowhere: name another path, or remove the link"),
        (errno.EEXIST, "'a/b' is a file, a folder was expected: name another path, or move the file away"),
        (errno.EACCES, "'a/b' may not be read or written: correct its permissions"),
    ],
)
def test_what_the_system_refuses(number, words):
    def refused():
        raise OSError(number, 'what the system says', 'a/b')

    assert of(refused).startswith(words)


def test_words_of_others_get_their_place():
    def one_word():
        {}['spec']

    assert of(one_word).startswith("'spec' is missing or unknown (KeyError in one_word of test_sentences.py)")
    scheduler = Config(
        dict(model=dict(type='mmpretrain.ImageClassifier', backbone=dict(type='mmpretrain.ResNet', depth=7)))
    )
    assert of(lambda: MODELS.build(scheduler.model), scheduler).startswith(
        'model.backbone (mmpretrain.ResNet) cannot be built with depth=7: KeyError'
    )


def test_mistakes_of_this_package_keep_their_traceback(monkeypatch):
    from topkd.utils import statistics

    assert of(lambda: statistics.cell(None, None)) is not None  # a TypeError is a user's
    monkeypatch.setattr(statistics, 'np', None)
    assert of(lambda: statistics.mean_and_deviation([1])) is None


def test_a_full_disk_names_the_file_that_was_open(tmp_path):
    def write() -> None:
        with open(tmp_path / 'a.jpg', 'w') as file:
            raise OSError(28, 'No space left on device', None) if file else None

    with pytest.raises(OSError) as error:
        write()
    assert sentence(error.value) == (
        f"the disk of '{tmp_path}/a.jpg' is full: free space there, then give the same command again"
    )
    unknown = OSError(28, 'No space left on device')
    assert sentence(unknown, Config(dict(work_dir='work'))).startswith("the disk of 'work' is full")


@pytest.mark.parametrize(
    'error, said',
    [
        (MemoryError(), ''),
        (MemoryError('Unable to allocate 5.00 EiB'), r' \(Unable to allocate 5.00 EiB\)'),
        (torch.OutOfMemoryError('CUDA out of memory. Tried to'), r' \(CUDA out of memory. Tried to\)'),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), r' \(DefaultCPUAllocator: .* 9 bytes\)'),
    ],
)
def test_too_little_memory(error, said):
    class Hungry(nn.Module):
        def forward(self, images):
            raise error

    expected = f'there is not enough memory{said}: lower the batch size or the size of what is computed at once, or end'
    assert re.match(expected, of(lambda: Hungry()(torch.zeros(1))))


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / 'list.txt').write_bytes(b'\xff')
    said = of(lambda: (tmp_path / 'list.txt').read_text(encoding='utf-8'))
    assert said.startswith(f"'{tmp_path}/list.txt' is no text of UTF-8 (") and said.endswith('or name another file')


def test_a_pipe_that_nobody_reads_any_more():
    def write() -> None:
        reader, writer = os.pipe()
        os.close(reader)
        os.write(writer, b'x')

    assert of(write) == (
        'the program that reads what is printed has ended: let it read to the end, or print into a file'
    )


def test_the_words_of_a_hook_are_its_own():
    class Refusing(Hook):
        def before_run(self, runner):
            training_labels([1, 2])

    runner = SimpleNamespace(_hooks=[Refusing()])
    assert of(lambda: Runner.call_hook(runner, 'before_run')) == (
        'the loss needs the label of every training image, list does not tell them: use a data set of topkd or a '
        'single-label one of mmpretrain'
    )


def test_images_without_labels():
    model, images = build(classifier(4)), torch.zeros(2, 3, 16, 16)
    samples = [DataSample(), DataSample()]
    expected = "the data samples have no 'gt_label', which is needed here: use a data set with labels"
    assert of(lambda: model(images, samples, mode='loss')).startswith(expected)
    predicted = [DataSample().set_pred_score(torch.ones(3)).to_dict()]
    assert of(lambda: Accuracy().process({}, predicted)).startswith(expected)


def test_types_of_registries_whose_names_have_spaces():
    words = of(lambda: PARAM_SCHEDULERS.build(dict(type='StepLRR')))
    assert "the type 'StepLRR' is unknown among" in words


def test_an_image_of_no_bytes_is_named(tmp_path):
    (tmp_path / 'a.jpg').write_bytes(b'')
    load = TRANSFORMS.build(dict(type='LoadImageFromFile'))
    words = of(lambda: load(dict(img_path=f'{tmp_path}/a.jpg')))
    assert words.startswith(f"'{tmp_path}/a.jpg' is empty and cannot be decoded as an image: replace it (find FOLDER")


def test_a_batch_that_was_not_packed():
    preprocessor = build(dict(type='mmpretrain.ClsDataPreprocessor'))
    words = of(lambda: preprocessor(dict(img=torch.zeros(1, 3, 8, 8)), True))
    assert words.startswith("the batches of the data loader have no 'inputs': let the pipeline of the data set load")
