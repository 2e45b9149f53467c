"""The json of a detection set against the classes that the detector learns."""

import json

import cv2
import numpy as np
import pytest
from mmengine.registry import DATASETS, init_default_scope

import topkd  # noqa: F401  isort:skip
from topkd.hooks.category_check_hook import check_categories
from topkd.utils.sentences import sentence  # noqa: E402


def dataset(folder, categories=('cat', 'dog'), category_ids=(1, 2), image: bytes = None, **options):
    """Write a set of one image and return mmdet's data set of it."""
    init_default_scope('mmdet')
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    (folder / 'a.jpg').write_bytes(image or cv2.imencode('.jpg', pixels)[1].tobytes())
    annotations = [
        dict(id=i, image_id=1, category_id=category, bbox=[5, 5, 20, 20], area=400, iscrowd=0)
        for i, category in enumerate(category_ids, 1)
    ]
    content = dict(
        images=[dict(id=1, file_name='a.jpg', width=40, height=40)],
        annotations=annotations,
        categories=[dict(id=i, name=name) for i, name in enumerate(categories, 1)],
    )
    (folder / 'a.json').write_text(json.dumps(content))
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True),
        dict(type='Resize', scale=(40, 40), keep_ratio=True),
        dict(type='PackDetInputs'),
    ]
    return DATASETS.build(
        dict(
            dict(
                type='mmdet.CocoDataset',
                data_root=str(folder),
                ann_file='a.json',
                data_prefix=dict(img=''),
                pipeline=pipeline,
                metainfo=dict(classes=('cat', 'dog')),
            ),
            **options,
        )
    )


def test_whole_set_passes_also_inside_a_repeated_one(tmp_path):
    inner = dataset(tmp_path)
    check_categories(inner)
    check_categories(DATASETS.build(dict(type='RepeatDataset', times=2, dataset=inner)))


def test_class_that_the_json_does_not_list(tmp_path):
    inner = dataset(tmp_path, categories=('dog',), category_ids=(1,))
    # this is why: mmdet gives the dog the label of the cat
    assert inner[0]['data_samples'].gt_instances.labels.tolist() == [0]
    with pytest.raises(
        ValueError, match=r"a.json' must list every class of the data set, it lacks cat: correct the json"
    ):
        check_categories(inner)
    with pytest.raises(ValueError, match='it lacks cat'):
        check_categories(DATASETS.build(dict(type='ConcatDataset', datasets=[inner])))


def test_annotation_of_a_category_that_the_json_does_not_list(tmp_path):
    with pytest.raises(ValueError, match=r'annotates boxes of the categories \[7\], which it does not list'):
        check_categories(dataset(tmp_path, category_ids=(1, 7)))


def test_corrupt_jpeg_names_the_file(tmp_path):
    broken = dataset(tmp_path, image=b'\xff\xd8\xff\xe0 no jpeg')
    with pytest.raises(AssertionError, match='failed to load image: .*a.jpg') as caught:
        broken[0]
    in_a_worker = AssertionError(
        "Original Traceback:\n  assert img is not None, f'failed to load image: {filename}'\n"
        f'AssertionError: {caught.value}\n'
    )
    for error in (caught.value, in_a_worker):
        assert sentence(error) == (
            f"'{tmp_path}/a.jpg' cannot be decoded as an image: replace the file, or take the image "
            'out of the annotations'
        )
    assert sentence(AssertionError('anything else')) is None


def test_other_data_sets_pass():
    check_categories([1, 2, 3])
