"""What every method says to taps and batches that it cannot use, in one sentence, through a real distiller."""

import pytest
import torch
from map_losses import small_distiller
from mmpretrain.structures import DataSample
from small import batch, build, classifier

from topkd.models.losses.distillation_loss import Probe

VECTOR = 'neck[0]'
LAYERS = ['backbone.layer1', 'backbone.layer2', 'backbone.layer3']
OF_MAPS = ('AT', 'NST', 'FitNet', 'VID', 'FT', 'OFD', 'FSP', 'MGD', 'CWD', 'PKD', 'SemCKD', 'DistPro', 'NORM', 'SimKD')
IN_PAIRS = ('AT', 'NST', 'FitNet', 'VID', 'OFD', 'FSP', 'MGD', 'CWD', 'PKD', 'DistPro', 'SP', 'ReviewKD')
OF_LOGITS = ('KD', 'DKD', 'DIST')


@pytest.mark.parametrize('name', OF_MAPS)
def test_features_without_maps(name):
    taps = [VECTOR] * 2 if name in ('FSP', 'SemCKD', 'DistPro') else VECTOR
    expected = (
        rf"loss 'method': {name}Loss needs maps \(N, C, H, W\), tap 'neck\[0\]' returns \(1, .*\): tap a stage, such"
    )
    with pytest.raises(ValueError, match=expected):
        small_distiller(dict(type=f'topkd.{name}Loss', student_tap=taps, teacher_tap=taps))


@pytest.mark.parametrize('name', IN_PAIRS)
def test_different_numbers_of_taps(name):
    expected = (
        f"loss 'method': {name}Loss compares .* in pairs, got 3 of the student and 2 of the teacher: give student_tap"
    )
    with pytest.raises(ValueError, match=expected):
        small_distiller(dict(type=f'topkd.{name}Loss', student_tap=LAYERS, teacher_tap=LAYERS[1:]))


@pytest.mark.parametrize('name', OF_LOGITS)
def test_other_classes(name):
    expected = (
        r"loss 'method': .* must have the same classes, got logits \(1, 7\) and \(1, 10\): use a teacher of the same"
    )
    with pytest.raises(ValueError, match=expected):
        small_distiller(dict(type=f'topkd.{name}Loss'), student=classifier(4, classes=7))


def test_other_widths_for_fsp():
    expected = r'FSPLoss needs maps of equal widths, the student has \[4, 4, 8, 16\], the teacher \[8, 8, 16, 32\]: choose a pair of one'
    with pytest.raises(ValueError, match=expected):
        small_distiller(dict(type='topkd.FSPLoss'))


@pytest.mark.parametrize('name', ['CRD', 'CRCD'])
def test_a_data_set_without_indices(name):
    model = small_distiller(dict(type=f'topkd.{name}Loss', num_negatives=4))
    data = batch()
    model.losses['method'].prepare(type('Images', (list,), dict(labels=data['gt_label']))(range(8)))
    data = model.data_preprocessor(data, training=True)
    expected = (
        'index of every image in the training set is needed, got data samples without sample_idx: use a data set of'
    )
    with pytest.raises(ValueError, match=expected):
        model.train()(**data, mode='loss')


@pytest.mark.parametrize('name', ['DKD', 'CRD', 'CRCD'])
def test_labels_that_are_missing(name):
    loss = build(dict(type=f'topkd.{name}Loss', **({} if name == 'DKD' else dict(num_negatives=4))))
    vector, weight = torch.randn(2, 3), torch.randn(4, 3)
    logits = vector @ weight.T
    features = dict(DKD=logits, CRD=vector, CRCD=[vector, logits, weight])[name]
    if name != 'DKD':
        one = vector[:1] if name == 'CRD' else [vector[:1], logits[:1], weight]
        loss.bind(None, Probe(one, one))
        loss.prepare(type('Images', (list,), dict(labels=torch.tensor([0, 1])))(range(2)))
    samples = [DataSample(metainfo=dict(sample_idx=index)) for index in range(2)]
    with pytest.raises(
        ValueError, match='needs the label of every image, got a batch without labels: use a data set whose'
    ):
        loss(features, features, samples)
