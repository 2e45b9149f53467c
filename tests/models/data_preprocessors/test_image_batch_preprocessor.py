"""The batch preprocessor against a loop over images with torchvision's functions, and in mmpretrain's models."""

import copy
import itertools

import pytest
import torch
import torchvision.transforms.functional as VF
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import nn

import topkd.models.data_preprocessors.image_batch_preprocessor as module
from topkd.models.data_preprocessors.image_batch_preprocessor import ImageBatchPreprocessor, crop_and_flip

MEAN, STD = [129.3105, 124.1085, 112.404], [68.2125, 65.4075, 70.4055]


def make_batch(num_images=16, height=32, width=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(1, 256, (num_images, 3, height, width), dtype=torch.uint8, generator=generator)
    return dict(inputs=images, gt_label=torch.randint(0, 100, (num_images,), generator=generator))


def normalized(images):
    """Normalize pixel fractions image by image, as torchvision pipelines do."""
    mean, std = [m / 255 for m in MEAN], [s / 255 for s in STD]
    return torch.stack([VF.normalize(image.float() / 255, mean, std) for image in images])


def cut(padded, place, height, width):
    """Crop and flip one padded image."""
    top, left, flip = place
    crop = VF.crop(padded, top, left, height, width)
    return VF.hflip(crop) if flip else crop


def located(images, originals, padding):
    """Find the (row, column, flip) of each augmented image by trying all of them, None where there is none."""
    found = []
    for image, original in zip(images, originals):
        padded = VF.pad(original, [padding] * 4)
        height, width = original.shape[-2:]
        places = itertools.product(range(2 * padding + 1), range(2 * padding + 1), (False, True))
        found.append(next((place for place in places if torch.equal(cut(padded, place, height, width), image)), None))
    return found


@pytest.mark.parametrize('height, width, padding', [(32, 32, 4), (8, 8, 1), (5, 7, 3), (6, 4, 0)])
@pytest.mark.parametrize('dtype', [torch.uint8, torch.float32])
def test_crop_and_flip_equals_torchvision_image_by_image(height, width, padding, dtype):
    generator = torch.Generator().manual_seed(1)
    images = make_batch(24, height, width)['inputs'].to(dtype)
    offsets = torch.randint(0, 2 * padding + 1, (2, 24), generator=generator)
    flips = torch.rand(24, generator=generator) < 0.5
    places = zip(*offsets.tolist(), flips.tolist())
    expected = [cut(VF.pad(image, [padding] * 4), place, height, width) for image, place in zip(images, places)]
    result = crop_and_flip(images, offsets, flips, padding)
    assert result.dtype == dtype and torch.equal(result, torch.stack(expected))


def test_training_pads_with_black_before_normalization():
    torch.manual_seed(0)
    batch = make_batch()
    out = ImageBatchPreprocessor(MEAN, STD, crop_padding=4, flip_prob=0.5)(batch, training=True)
    pixels = (out['inputs'] * torch.tensor(STD).view(3, 1, 1) + torch.tensor(MEAN).view(3, 1, 1)).round().byte()
    places = located(pixels, batch['inputs'], 4)
    assert None not in places and len(set(places)) > 8
    crops = [cut(VF.pad(image, [4] * 4), place, 32, 32) for image, place in zip(batch['inputs'], places)]
    torch.testing.assert_close(out['inputs'], normalized(crops), rtol=1e-5, atol=1e-5)


def test_all_offsets_occur_equally_often_and_half_is_flipped(monkeypatch):
    torch.manual_seed(0)
    drawn = []
    monkeypatch.setattr(module, 'crop_and_flip', lambda images, *args: drawn.append(args) or images)
    preprocessor = ImageBatchPreprocessor(MEAN, STD, crop_padding=4, flip_prob=0.5)
    preprocessor(make_batch(20000, 2, 2), training=True)
    offsets, flips, padding = drawn[0]
    counts = (offsets[0] * 9 + offsets[1]).bincount(minlength=81)
    expected = 20000 / 81
    assert len(counts) == 81 and padding == 4
    # Chi-squared with 80 degrees of freedom: its mean is 80, its standard deviation sqrt(160) = 12.6.
    assert ((counts - expected) ** 2 / expected).sum() < 80 + 4 * 12.6
    assert abs(flips.float().mean() - 0.5) < 4 * 0.5 / 20000**0.5
    # The flip does not depend on the offset.
    assert abs(flips[offsets[0] > 4].float().mean() - 0.5) < 4 * 0.5 / 8000**0.5


def test_flip_probabilities_0_and_1_without_a_crop():
    batch = make_batch()
    plain = ImageBatchPreprocessor(MEAN, STD)(batch)['inputs']
    for prob, expected in ((0.0, plain), (1.0, plain.flip(-1))):
        assert torch.equal(ImageBatchPreprocessor(MEAN, STD, flip_prob=prob)(batch, training=True)['inputs'], expected)


def test_evaluation_only_normalizes():
    batch = make_batch()
    before = copy.deepcopy(batch)
    out = ImageBatchPreprocessor(MEAN, STD, crop_padding=4, flip_prob=0.5)(batch)
    torch.testing.assert_close(out['inputs'], normalized(batch['inputs']), rtol=1e-5, atol=1e-5)
    assert out['inputs'].dtype == torch.float32
    assert [sample.gt_label.tolist() for sample in out['data_samples']] == [[label] for label in batch['gt_label']]
    for key in batch:
        assert torch.equal(batch[key], before[key])


def test_manual_seed_reproduces_the_augmentation():
    preprocessor = ImageBatchPreprocessor(MEAN, STD, crop_padding=4, flip_prob=0.5)
    batch, outs = make_batch(), []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        outs.append(preprocessor(batch, training=True)['inputs'])
    assert torch.equal(outs[0], outs[1]) and not torch.equal(outs[0], outs[2])


def test_mean_and_std_are_in_no_state_dict_and_move_with_a_parent():
    preprocessor = ImageBatchPreprocessor(MEAN, STD)
    assert len(preprocessor.state_dict()) == 0
    assert preprocessor.mean.shape == preprocessor.std.shape == (3, 1, 1)
    assert preprocessor.mean.flatten().tolist() == pytest.approx(MEAN)
    nn.Sequential(preprocessor).to('meta')
    assert preprocessor.device.type == 'meta'


def test_labels_are_views_that_mmpretrain_accepts():
    batch = make_batch()
    samples = ImageBatchPreprocessor(MEAN, STD)(batch)['data_samples']
    theirs = [DataSample().set_gt_label(label) for label in batch['gt_label'].unsqueeze(1)]
    for ours, sample in zip(samples, theirs):
        assert type(ours) is DataSample and ours.keys() == sample.keys() == ['gt_label']
        assert torch.equal(ours.gt_label, sample.gt_label)
        assert ours.gt_label.untyped_storage().data_ptr() == batch['gt_label'].untyped_storage().data_ptr()


def mmpretrain_styles():
    batch = make_batch(4)
    images, labels = list(batch['inputs']), batch['gt_label']
    samples = [DataSample().set_gt_label(int(label)) for label in labels]
    return batch, {
        'stacked images, data samples': dict(inputs=batch['inputs'], data_samples=samples),
        'list of images, data samples': dict(inputs=images, data_samples=samples),
        'list of images, list of labels': dict(inputs=images, gt_label=[int(label) for label in labels]),
        'list of images, list of tensors': dict(inputs=tuple(images), gt_label=list(labels)),
        'list of dicts': [dict(inputs=image, gt_label=label) for image, label in zip(images, labels)],
        'list of packed dicts': [dict(inputs=image, data_samples=sample) for image, sample in zip(images, samples)],
    }


@pytest.mark.parametrize('style', sorted(mmpretrain_styles()[1]))
def test_mmpretrain_styles_of_input_give_the_same(style):
    batch, styles = mmpretrain_styles()
    preprocessor = ImageBatchPreprocessor(MEAN, STD)
    expected, out = preprocessor(batch), preprocessor(styles[style])
    assert torch.equal(out['inputs'], expected['inputs'])
    assert [sample.gt_label.tolist() for sample in out['data_samples']] == [
        sample.gt_label.tolist() for sample in expected['data_samples']
    ]


def test_no_labels_give_no_data_samples():
    assert ImageBatchPreprocessor(MEAN, STD)(dict(inputs=make_batch()['inputs']))['data_samples'] is None


@pytest.mark.parametrize(
    'data, error, message',
    [
        (dict(img=1), KeyError, "expected a batch with the key 'inputs', got the keys \\['img'\\]"),
        (dict(inputs=torch.zeros(2, 3, 4, 4)), TypeError, "uint8 tensors .* got \\['torch.float32'\\]: leave"),
        (dict(inputs=[1, 2]), TypeError, "uint8 tensors with values 0..255, got \\['int'\\]"),
        (dict(inputs=torch.zeros(2, 1, 4, 4).byte()), ValueError, 'shape \\(N, 3, H, W\\), .* got \\(2, 1, 4, 4\\)'),
        (dict(inputs=torch.zeros(3, 4, 4).byte()), ValueError, 'shape \\(N, 3, H, W\\), .* got \\(3, 4, 4\\)'),
        (
            dict(inputs=[torch.zeros(3, 4, 4).byte(), torch.zeros(3, 5, 4).byte()]),
            ValueError,
            'images of one size, got the shapes \\[\\(3, 4, 4\\), \\(3, 5, 4\\)\\]: resize',
        ),
        (
            dict(inputs=torch.zeros(2, 3, 4, 4).byte(), gt_label=torch.zeros(3).long()),
            ValueError,
            'one whole-number label for each of the 2 images, got torch.int64 of shape \\(3,\\)',
        ),
        (dict(inputs=torch.zeros(2, 3, 4, 4).byte(), gt_label=torch.zeros(2)), ValueError, 'whole-number'),
    ],
)
def test_bad_batches(data, error, message):
    with pytest.raises(error, match=message):
        ImageBatchPreprocessor(MEAN, STD)(data)


@pytest.mark.parametrize(
    'kwargs, message',
    [
        (dict(mean=[1, 2]), 'expected a mean and a positive std for each channel, got mean \\[1, 2\\] and std'),
        (dict(std=[1, 0, 1]), 'expected a mean and a positive std for each channel, got mean .* and std \\[1, 0, 1\\]'),
        (dict(crop_padding=-1), 'expected crop_padding to be a number of pixels from 0, got -1'),
        (dict(crop_padding=0.5), 'expected crop_padding to be a number of pixels from 0, got 0.5'),
        (dict(flip_prob=50), 'expected flip_prob to be a probability from 0 to 1, got 50'),
        (dict(batch_augments=dict(augments='Mixup')), "does not mix images, got .*'Mixup'.* use mmpretrain"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        ImageBatchPreprocessor(**{**dict(mean=MEAN, std=STD), **kwargs})


def make_classifier():
    torch.manual_seed(0)
    return ImageClassifier(
        backbone=dict(type='mmpretrain.ResNet_CIFAR', depth=18, out_indices=(0,), base_channels=8, stem_channels=8),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=100, in_channels=8),
        data_preprocessor=dict(type='topkd.ImageBatchPreprocessor', mean=MEAN, std=STD, crop_padding=4, flip_prob=0.5),
    )


def test_an_unmodified_image_classifier_trains_and_predicts():
    model, batch = make_classifier(), make_batch()
    losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
    losses['loss'].backward()
    model.eval()
    predictions = model.test_step(batch)
    assert [sample.gt_label.item() for sample in predictions] == batch['gt_label'].tolist()
    unlabelled = model.test_step(dict(inputs=batch['inputs']))
    assert torch.equal(unlabelled[3].pred_score, predictions[3].pred_score)
    assert not any('data_preprocessor' in key for key in model.state_dict())


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device here')
def test_everything_happens_on_the_device():
    preprocessor = ImageBatchPreprocessor(MEAN, STD, crop_padding=4, flip_prob=0.5).cuda()
    batch = make_batch()
    torch.manual_seed(0)
    out = preprocessor(batch, training=True)
    assert out['inputs'].is_cuda and out['data_samples'][0].gt_label.is_cuda
    pixels = (out['inputs'] * preprocessor.std + preprocessor.mean).round().byte().cpu()
    assert None not in located(pixels, batch['inputs'], 4)
    torch.manual_seed(0)
    assert torch.equal(preprocessor(batch, training=True)['inputs'], out['inputs'])
