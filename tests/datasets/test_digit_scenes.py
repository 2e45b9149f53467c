"""Scenes whose boxes are recovered from the pixels, and the COCO folder that the tool writes of them."""

import contextlib
import importlib.util
import json
import sys
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn.datasets import load_digits as load_bundled_digits

from topkd.datasets.digit_scenes import (
    BACKGROUND_RANGE,
    CLASSES,
    digit_scenes,
    draw_background,
    draw_opacity,
    draw_scene,
    load_digits,
)

TOOL = Path(__file__).parents[2] / 'tools' / 'make_digit_scenes.py'
OPTIONS = ('--train', '30', '--val', '12', '--seed', '3', '--size', '96')


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('make_digit_scenes', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def folder(tool, tmp_path_factory):
    out = tmp_path_factory.mktemp('data') / 'deep' / 'digit_scenes'
    assert run(tool, out, *OPTIONS) == 0
    return out


def run(tool, *arguments):
    """Run the command in this process and return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        try:
            tool.main()
        except SystemExit as stop:
            return stop.code
    return 0


def changed_pixels(scene, seed, size):
    """Compare a scene with its background drawn alone: True where a digit was pasted."""
    background = draw_background(np.random.default_rng(seed), size).round().astype(int)
    return (np.abs(scene.image.astype(int) - background) > 0).any(axis=2)


@pytest.mark.parametrize('seed', range(20))
def test_the_box_of_a_digit_is_tight_around_its_pixels(seed):
    scene = draw_scene(np.random.default_rng(seed), *load_digits('train'), size=128, num_digits=1)
    rows, columns = np.nonzero(changed_pixels(scene, seed, 128))
    assert scene.boxes.tolist() == [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]
    assert 0 <= scene.boxes.min() and scene.boxes.max() <= 128


def test_pixels_outside_of_all_boxes_are_background():
    scene = draw_scene(np.random.default_rng(5), *load_digits('train'), size=160, num_digits=4)
    changed = changed_pixels(scene, 5, 160)
    assert len(scene.boxes) > 1
    for x1, y1, x2, y2 in scene.boxes:
        assert changed[y1:y2, x1:x2].mean() > 0.1
        changed[y1:y2, x1:x2] = False
    assert not changed.any()


def test_a_digit_stands_out_from_any_background():
    for index in range(10):
        rng = np.random.default_rng(index)
        background = draw_background(rng, 64)
        assert BACKGROUND_RANGE[0] <= background.min() and background.max() <= BACKGROUND_RANGE[1]
        assert background.std(axis=(0, 1)).min() > 1
        opacity = draw_opacity(rng, load_digits('train')[0][index], 64)
        assert ((opacity == 0) | ((opacity >= 0.3) & (opacity <= 1))).all() and opacity.max() > 0.6
        assert all(opacity.any(axis=axis)[[0, -1]].all() for axis in (0, 1))


def test_boxes_of_a_scene_hardly_overlap_and_every_tenth_scene_is_empty():
    scenes = list(digit_scenes('train', 60, seed=1))
    counts = [len(scene.boxes) for scene in scenes]
    assert [index for index, count in enumerate(counts) if count == 0] == [9, 19, 29, 39, 49, 59]
    assert max(counts) == 4 and len(set(np.concatenate([scene.labels for scene in scenes]))) == 10
    for scene in scenes:
        assert scene.image.shape == (128, 128, 3) and scene.image.dtype == np.uint8
        assert scene.boxes.shape == (len(scene.labels), 4)
        for a, b in combinations(scene.boxes, 2):
            overlap = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
            areas = (a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()
            assert overlap / (areas - overlap) <= 0.05


def test_a_scene_depends_on_split_seed_size_and_its_index_only():
    def images(*args, **kwargs):
        return [scene.image for scene in digit_scenes(*args, **kwargs)]

    few, many = images('train', 3, seed=7), images('train', 5, seed=7)
    assert all(np.array_equal(a, b) for a, b in zip(few, many))
    assert not np.array_equal(few[0], few[1])
    assert not np.array_equal(few[0], images('train', 1, seed=8)[0])
    assert not np.array_equal(few[0], images('val', 1, seed=7)[0])
    assert images('train', 1, size=160)[0].shape == (160, 160, 3)


def test_the_splits_share_no_digit_and_keep_the_labels():
    bundle = load_bundled_digits()
    train, val = load_digits('train'), load_digits('val')
    assert len(train[1]) == 1437 and len(val[1]) == 360
    np.testing.assert_allclose(np.concatenate((train[0], val[0])) * 16, bundle.images)
    assert np.array_equal(np.concatenate((train[1], val[1])), bundle.target)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (('test', 1), "split must be one of .*, got 'test'"),
        (('train', 0), "at least 1 scene, got 0 for 'train'"),
        (('train', 1, -1), 'seed must not be negative, got -1'),
        (('train', 1, 0, 32), 'size must be from 64 to 4096 pixels, got 32'),
        (('train', 1, 0, 10**9), 'size must be from 64 to 4096 pixels, got 1000000000'),
    ],
)
def test_arguments_out_of_range_are_refused_at_the_call(arguments, message):
    with pytest.raises(ValueError, match=message):
        digit_scenes(*arguments)


@pytest.mark.parametrize('split, count', [('train', 30), ('val', 12)])
def test_the_written_set_loads_in_pycocotools_and_equals_the_scenes(folder, split, count):
    coco = COCO(str(folder / f'annotations/instances_{split}.json'))
    assert coco.getCatIds() == list(range(1, 11))
    assert tuple(category['name'] for category in coco.loadCats(coco.getCatIds())) == CLASSES
    assert coco.getImgIds() == list(range(1, count + 1))
    assert sorted(coco.anns) == list(range(1, len(coco.anns) + 1))
    for image_id, scene in enumerate(digit_scenes(split, count, seed=3, size=96), 1):
        entry = coco.imgs[image_id]
        image = cv2.imread(str(folder / split / entry['file_name']))
        assert image.shape == (entry['height'], entry['width'], 3) == (96, 96, 3)
        # Colors come back in the order written: JPEG keeps the mean of each channel.
        np.testing.assert_allclose(image[..., ::-1].mean(axis=(0, 1)), scene.image.mean(axis=(0, 1)), atol=1.5)
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=image_id, iscrowd=False))
        corners = [[x, y, x + w, y + h] for x, y, w, h in (annotation['bbox'] for annotation in annotations)]
        assert corners == scene.boxes.tolist()
        assert [annotation['category_id'] - 1 for annotation in annotations] == scene.labels.tolist()
        assert all(annotation['area'] == annotation['bbox'][2] * annotation['bbox'][3] for annotation in annotations)
    assert len(coco.getAnnIds(imgIds=10)) == 0


def test_perfect_detections_score_an_average_precision_of_one(folder):
    coco = COCO(str(folder / 'annotations/instances_val.json'))
    detections = [
        dict(image_id=a['image_id'], category_id=a['category_id'], bbox=a['bbox'], score=0.9)
        for a in coco.anns.values()
    ]
    evaluation = COCOeval(coco, coco.loadRes(detections), 'bbox')
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)


def test_the_same_options_write_the_same_bytes(tool, folder, tmp_path):
    assert run(tool, tmp_path / 'again', *OPTIONS) == 0
    files = sorted(path.relative_to(folder) for path in folder.rglob('*') if path.is_file())
    assert len(files) == 30 + 12 + 2
    assert all((folder / file).read_bytes() == (tmp_path / 'again' / file).read_bytes() for file in files)


def test_a_second_run_is_content_and_other_options_are_refused(tool, folder, capsys):
    before = (folder / 'annotations/instances_train.json').stat().st_mtime_ns
    assert run(tool, folder, *OPTIONS) == 0
    assert 'already holds these scenes' in capsys.readouterr().out
    assert run(tool, folder, *OPTIONS, '--train', '31') == 1
    assert 'is not this set: remove it or name another folder' in capsys.readouterr().err
    assert (folder / 'annotations/instances_train.json').stat().st_mtime_ns == before


@pytest.mark.parametrize(
    'options, message',
    [
        (['--val', '0'], "at least 1 scene, got 0 for 'val'"),
        (['--size', '8'], 'size must be from 64 to 4096 pixels, got 8'),
    ],
)
def test_a_failed_run_leaves_nothing_behind(tool, tmp_path, capsys, options, message):
    assert run(tool, tmp_path / 'set', '--train', '1', *options) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('seed, code', [('0', 0), ('1', 1)])
def test_a_run_that_another_one_overtakes(tool, tmp_path, monkeypatch, capsys, seed, code):
    """The other one makes the same scenes, or other ones, while this one writes its last image."""
    original, options = tool.write_split, ('--train', '1', '--val', '1')

    def write_split(folder: Path, split: str, info: dict) -> None:
        original(folder, split, info)
        if split == 'val':
            monkeypatch.setattr(tool, 'write_split', original)
            monkeypatch.setattr('os.getpid', lambda: 1)
            assert run(tool, tmp_path / 'set', *options, '--seed', seed) == 0

    monkeypatch.setattr(tool, 'write_split', write_split)
    assert run(tool, tmp_path / 'set', *options) == code
    assert code == 0 or 'exists and is not this set: remove it' in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ['set']


def test_an_interrupted_run_leaves_nothing_behind(tool, tmp_path, monkeypatch, capsys):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(tool, 'annotations_of', interrupt)
    with contextlib.suppress(SystemExit):
        run(tool, tmp_path / 'set', '--train', '2', '--val', '1')
    assert 'stopped by Ctrl-C' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_json_is_plain(folder):
    content = json.loads((folder / 'annotations/instances_train.json').read_text())
    assert set(content) == {'info', 'images', 'annotations', 'categories'}
    assert content['info'] == dict(
        description='handwritten digits on textured backgrounds', train=30, val=12, seed=3, size=96
    )
    assert all(annotation['iscrowd'] == 0 for annotation in content['annotations'])
