"""Pascal VOC and YOLO become the COCO set that they are, read back by mmdet; what is wrong is named."""

import json
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from mmdet.datasets import CocoDataset
from own_detection_data import CLASSES, OBJECTS, voc, yolo

from topkd.datasets.conversion import convert_detection, recognized_format


def read_back(root: Path, split: str) -> dict:
    """Return objects by image as mmdet reads them, with those that are to be ignored apart."""
    dataset = CocoDataset(
        data_root=str(root),
        ann_file=f'annotations/instances_{split}.json',
        data_prefix=dict(img=''),
        metainfo=dict(classes=tuple(CLASSES)),
        filter_cfg=dict(filter_empty_gt=False),
        pipeline=[],
    )
    found = {}
    for number in range(len(dataset)):
        item = dataset.get_data_info(number)
        assert Path(item['img_path']).is_file() and (item['width'], item['height']) == (60, 40)
        found[Path(item['img_path']).stem] = [
            (CLASSES[box['bbox_label']], tuple(round(x, 3) for x in box['bbox']), bool(box['ignore_flag']))
            for box in item['instances']
        ]
    return found


def expected(names: str, difficult: str = '') -> dict:
    return {name: [(kind, corners, name in difficult) for kind, corners in OBJECTS[name]] for name in names}


def test_voc(tmp_path):
    root = voc(tmp_path / 'mine')
    assert recognized_format(root) == 'voc'
    written = convert_detection(root)
    assert written['train'] == root / 'annotations' / 'instances_train.json'
    assert read_back(root, 'train') == expected('ab') and read_back(root, 'val') == expected('cd', difficult='d')


def test_yolo(tmp_path):
    root = yolo(tmp_path / 'mine')
    assert recognized_format(root) == 'yolo'
    convert_detection(root)
    assert read_back(root, 'train') == expected('ab') and read_back(root, 'val') == expected('cd')
    with pytest.raises(ValueError, match="classes of YOLO's data.yaml are cat, dog, got dog, cat: leave --classes out"):
        convert_detection(root, ['dog', 'cat'])


def test_images_without_lists_stay_on_their_side(tmp_path):
    names = [f'{number:03}' for number in range(60)]
    few, many = voc(tmp_path / 'few', False, names[:40]), voc(tmp_path / 'many', False, names)
    sides = []
    for root in (few, many):
        written = convert_detection(root, val_share=0.25)
        content = {split: json.loads(path.read_text()) for split, path in written.items()}
        sides.append({image['file_name']: split for split in content for image in content[split]['images']})
    assert sides[0].items() <= sides[1].items() and len(sides[1]) == 60
    assert 8 <= sum(side == 'val' for side in sides[1].values()) <= 22


def test_a_box_is_cut_at_the_border(tmp_path):
    root = yolo(tmp_path / 'mine')
    (root / 'labels/train/a.txt').write_text('0 0.0 0.0 0.5 0.5\n')
    convert_detection(root)
    assert read_back(root, 'train')['a'] == [('cat', (0.0, 0.0, 15.0, 10.0), False)]


VOC_BOX = (
    '<annotation><size><width>60</width><height>40</height></size><object><name>cat</name><bndbox><xmin>1</xmin>'
    '<ymin>1</ymin><xmax>{}</xmax><ymax>9</ymax></bndbox></object></annotation>'
)


def edit(file: str, text: str):
    return lambda root: (root / file).write_text(text)


@pytest.mark.parametrize(
    'make, change, message',
    [
        (
            voc,
            edit('Annotations/a.xml', '<annotation>'),
            r"a.xml' must be an annotation of Pascal VOC .*, got no element",
        ),
        (voc, edit('Annotations/a.xml', '<annotation/>'), r"a.xml' must be an annotation of Pascal VOC with size"),
        (
            voc,
            lambda root: (root / 'JPEGImages/b.jpg').unlink(),
            r"there is no image '.*/JPEGImages/b' \(.jpg, .*b.xml'",
        ),
        (voc, edit('ImageSets/Main/val.txt', 'z\n'), r"val.txt' names 'z', '.*z.xml' does not exist: correct the list"),
        (voc, edit('ImageSets/Main/val.txt', ''), r"the split 'val' of '.*' has no images"),
        (yolo, edit('data.yaml', 'train: images/train\nval: images/val\n'), 'must have names, a list of the classes'),
        (
            yolo,
            edit('data.yaml', 'names: [cat]\ntrain: images/train\nval: images/val\n'),
            'must be a class from 0 to 0 and x, y, width',
        ),
        (yolo, edit('data.yaml', 'names: {1: cat}\n'), 'must have names'),
        (yolo, edit('data.yaml', 'names: [\n'), 'is no YAML'),
        (
            yolo,
            edit('data.yaml', 'names: [cat, dog]\ntrain: images/train\n'),
            'must name the folders of images train and',
        ),
        (
            yolo,
            edit('data.yaml', 'names: [cat, dog]\ntrain: images/train\nval: nowhere\n'),
            "no images in '.*/nowhere', which '",
        ),
        (
            yolo,
            edit('labels/train/a.txt', '0 0.5 0.5 0.1 0.1 0.2 0.2\n'),
            "line 1 of '.*a.txt' must be a class from 0 to 1",
        ),
        (
            yolo,
            edit('labels/train/a.txt', '0 1.5 0.5 0.1 0.1\n'),
            "has a box of 'cat' without area inside the image of 60",
        ),
        (
            yolo,
            edit('data.yaml', 'names: [cat, cat]\ntrain: images/train\nval: images/val\n'),
            "each once, got 'cat,cat'",
        ),
        (yolo, edit('data.yaml', 'names: [cat, null]\n'), 'must have names, a list of the classes'),
        (yolo, lambda root: shutil.rmtree(root / 'labels/val'), "no object in any image of the split 'val' of"),
        (yolo, lambda root: (root / 'labels/train/a.txt').write_bytes(b'\xff'), "can't decode byte 0xff"),
        (
            voc,
            lambda root: (root / 'ImageSets/Main/val.txt').unlink(),
            'holds train.txt alone of train.txt and val.txt: add the other one, or take it away',
        ),
        (
            voc,
            edit('Annotations/a.xml', VOC_BOX.format('inf')),
            r"has a box of 'cat' without area inside the image of 60 x 40 pixels, got corners \(0.0, 0.0, inf, 9.0\)",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, make, change, message):
    root = make(tmp_path / 'mine')
    change(root)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        convert_detection(root)
    assert not (root / 'annotations').exists()


def test_lists_of_windows_editors(tmp_path):
    root = voc(tmp_path / 'mine')
    (root / 'ImageSets/Main/train.txt').write_bytes(b'\xef\xbb\xbfa\r\nb\r\n')
    convert_detection(root)
    assert set(read_back(root, 'train')) == {'a', 'b'}


@pytest.mark.parametrize('classes', [['cat', 'dog', 'cat'], ['cat', '', 'dog']])
def test_classes_that_are_no_names(tmp_path, classes):
    with pytest.raises(ValueError, match='the classes must be names, none of them empty and each once, got'):
        convert_detection(voc(tmp_path / 'mine'), classes)


def test_class_that_is_not_listed(tmp_path):
    with pytest.raises(
        ValueError, match=r"b.xml' has an object 'dog', which is not among the classes cat: add it to them"
    ):
        convert_detection(voc(tmp_path / 'mine'), ['cat'])


@pytest.mark.parametrize('classes', [[''], ['cat', 'cat', 'dog'], ['cat', ' ', 'dog']])
def test_classes_without_a_name_or_given_twice(tmp_path, classes):
    with pytest.raises(ValueError, match='the classes must be names, none of them empty and each once, got'):
        convert_detection(voc(tmp_path / 'mine'), classes)


def test_folder_of_something_else(tmp_path):
    with pytest.raises(ValueError, match=r'must hold Annotations/ and JPEGImages/ \(Pascal VOC\), or data.yaml'):
        recognized_format(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no folder '.*missing': name the folder of the data set"):
        recognized_format(tmp_path / 'missing')


def test_images_of_another_folder(tmp_path):
    elsewhere, root = yolo(tmp_path / 'elsewhere'), yolo(tmp_path / 'mine')
    (root / 'data.yaml').write_text(f'path: {elsewhere}\ntrain: images/train\nval: images/val\nnames: [cat, dog]\n')
    with pytest.raises(
        ValueError, match="'.*/elsewhere/images/train/a.png' must lie below '.*/mine', from which detect"
    ):
        convert_detection(root)


def test_the_tool_says_what_it_found(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['convert_detection.py', str(voc(tmp_path / 'mine')), '--classes', 'dog,cat'])
    runpy.run_path(str(Path(__file__).parents[2] / 'tools' / 'convert_detection.py'), run_name='__main__')
    train, val, last = capsys.readouterr().out.splitlines()
    assert train.startswith('train: 2 images, 3 objects, ') and val.startswith('val: 2 images, 1 objects, ')
    assert last.endswith('classes: dog, cat')
