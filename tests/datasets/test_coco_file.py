"""The json of a COCO data set."""

import copy
import json

import pytest
from mmdet.datasets import CocoDataset

import topkd.datasets.coco_file as module
from topkd.datasets.coco_file import check_coco_file

CONTENT = dict(
    images=[dict(id=1, file_name='a.jpg', width=40, height=40)],
    annotations=[dict(id=7, image_id=1, category_id=1, bbox=[5, 5, 20, 20.5], area=410.0)],
    categories=[dict(id=1, name='cat')],
)


def write(tmp_path, change=lambda content: None) -> str:
    content = copy.deepcopy(CONTENT)
    change(content)
    (tmp_path / 'a.json').write_text(json.dumps(content))
    return str(tmp_path / 'a.json')


def test_whole_file_passes_and_a_changed_one_is_read_again(tmp_path):
    check_coco_file(write(tmp_path), ['cat'])
    with pytest.raises(ValueError, match='lists no images'):
        check_coco_file(write(tmp_path, lambda content: content['images'].clear()), ['cat'])


@pytest.mark.parametrize(
    'change, message',
    [
        (
            lambda c: c['annotations'][0].update(bbox=[1, 2, float('nan'), 4]),
            r'annotation 7 .* four finite numbers .* nan',
        ),
        (lambda c: c['annotations'][0].update(bbox=[1, 2, -3, 4]), 'none of the last two negative'),
        (lambda c: c['annotations'][0].update(bbox='x'), 'four finite numbers .* got x'),
        (lambda c: c['annotations'][0].update(image_id=2), 'annotation 7 .* belongs to image 2, which is not listed'),
        (lambda c: c['annotations'][0].update(category_id=9), r'boxes of the categories \[9\]'),
        (lambda c: c['annotations'][0].pop('bbox'), "entry 0 of 'annotations' in .* lacks bbox"),
        (lambda c: c['annotations'].append(c['annotations'][0]), "ids of 'annotations' .* each once"),
        (lambda c: c['images'][0].update(width=0), 'a width and height of 1 or more, got .a.jpg., 0 and 40'),
        (lambda c: c.pop('categories'), "a list of dicts under 'categories', got no such entry"),
        (lambda c: c.update(images=3), "a list of dicts under 'images', got something else"),
        (lambda c: c['categories'][0].update(name='dog'), 'it lacks cat: correct the json'),
    ],
)
def test_what_mmdet_would_read_wrongly(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        check_coco_file(write(tmp_path, change), ['cat'])


@pytest.mark.parametrize(
    'unseen',
    [
        dict(bbox=[5, 5, 0, 20]),
        dict(bbox=[5, 5, 20, 0.5]),
        dict(bbox=[50, 5, 20, 20]),
        dict(bbox=[5, -30, 20, 30]),
        dict(area=0),
    ],
)
def test_boxes_that_are_left_out_are_counted(tmp_path, monkeypatch, unseen):
    said = []
    monkeypatch.setattr(module, 'print_log', lambda line, *rest: said.append(line))

    def change(content: dict) -> None:
        content['annotations'] += [dict(content['annotations'][0], **{'id': 8, **unseen})]

    path = write(tmp_path, change)
    check_coco_file(path)
    check_coco_file(path)
    (line,) = said
    assert line.startswith(
        f"1 of 2 annotations in '{path}' are left out of trainings, the first is 8: their boxes have"
    )
    data = CocoDataset(ann_file=path, metainfo=dict(classes=('cat',)), pipeline=[], data_prefix=dict(img=''))
    assert [len(data.get_data_info(0)['instances']), len(data)] == [1, 1]
    with pytest.raises(ValueError, match='holds no box that a detector could learn: all have no area'):
        check_coco_file(write(tmp_path, lambda content: content['annotations'][0].update(unseen)))


def test_no_json(tmp_path):
    (tmp_path / 'a.json').write_text('{"images": [')
    with pytest.raises(ValueError, match='is no json .*: correct the json, or replace it by the original'):
        check_coco_file(str(tmp_path / 'a.json'))
    with pytest.raises(FileNotFoundError, match="annotation file 'b.json' does not exist"):
        check_coco_file('b.json')
