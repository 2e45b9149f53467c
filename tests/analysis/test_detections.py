"""Boxes that detectors find in scenes of digits, and the picture of them."""

import importlib
import json
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from small import classifier

import topkd  # noqa: F401
from topkd.analysis.detections.drawing import GREEN, draw_rows
from topkd.analysis.detections.find import Boxes, find_boxes, load_detectors


@pytest.fixture
def cfg(tmp_path, request, monkeypatch):
    """Write three scenes and return a config whose test split they are, in batches of two."""
    monkeypatch.setattr(sys, 'path', [str(request.config.rootpath / 'tools'), *sys.path])
    scenes = importlib.import_module('make_digit_scenes')
    scenes.make_digit_scenes(tmp_path / 'data', dict(description='x', train=1, val=3, seed=0, size=64))
    init_default_scope('mmdet')
    path = request.config.rootpath / 'configs/_base_/datasets/digit_scenes.py'
    cfg = Config.fromfile(path)
    cfg.test_dataloader.dataset.data_root = str(tmp_path / 'data')
    cfg.test_dataloader.batch_size = 2
    return cfg


class Finder:
    """Finds in every image one sure zero and one doubtful nine."""

    def test_step(self, batch):
        boxes = torch.tensor([[1.0, 2.0, 11.0, 12.0], [3.0, 3.0, 9.0, 9.0]])
        found = dict(bboxes=boxes, labels=torch.tensor([0, 9]), scores=torch.tensor([0.9, 0.3]))
        return [SimpleNamespace(pred_instances=InstanceData(**found)) for _ in batch['inputs']]


def test_annotated_boxes_and_those_above_the_score(cfg, tmp_path):
    images, found = find_boxes(cfg, dict(net=Finder()), count=3, threshold=0.5)
    content = json.loads((tmp_path / 'data/annotations/instances_val.json').read_text())
    for number, info in enumerate(content['images']):
        objects = [a for a in content['annotations'] if a['image_id'] == info['id']]
        corners = [[x, y, x + w, y + h] for x, y, w, h in (a['bbox'] for a in objects)]
        assert found['annotated'][number].corners == corners
        names = [content['categories'][a['category_id'] - 1]['name'] for a in objects]
        assert found['annotated'][number].texts == names
        assert np.array_equal(images[number], cv2.imread(str(tmp_path / 'data/val' / info['file_name'])))
    assert found['net'] == [Boxes([[1.0, 2.0, 11.0, 12.0]], ['zero 0.90'])] * 3
    assert len(find_boxes(cfg, dict(net=Finder()), count=1, threshold=0.5)[1]['net']) == 1
    assert found['net'][0] != find_boxes(cfg, dict(net=Finder()), count=1, threshold=0.2)[1]['net'][0]


class Ranked(Finder):
    """Finds ten boxes in every image, whose scores fall from image to image and are small."""

    def __init__(self):
        self.scores = iter(torch.linspace(0.1, 0.01, 30).split(10))

    def test_step(self, batch):
        found = dict(bboxes=torch.ones(10, 4), labels=torch.zeros(10, dtype=torch.int64))
        return [
            SimpleNamespace(pred_instances=InstanceData(**found, scores=next(self.scores))) for _ in batch['inputs']
        ]


def test_without_a_score_as_many_boxes_are_shown_as_are_annotated(cfg):
    found = find_boxes(cfg, dict(net=Ranked(), none=Silent()), count=3)[1]
    annotated = sum(len(here.corners) for here in found['annotated'])
    shown = [len(here.corners) for here in found['net']]
    assert 0 < annotated < 10 and shown == [annotated, 0, 0]
    assert found['none'] == [Boxes([], [])] * 3


class Silent:
    """Finds nothing."""

    def test_step(self, batch):
        nothing = dict(bboxes=torch.ones(0, 4), labels=torch.zeros(0, dtype=torch.int64), scores=torch.ones(0))
        return [SimpleNamespace(pred_instances=InstanceData(**nothing)) for _ in batch['inputs']]


def test_networks_that_find_no_boxes():
    init_default_scope('mmpretrain')
    network = dict(
        type='topkd.ClassifierDistiller', student={}, teacher=dict(name='t', model=classifier(4), checkpoint=None)
    )
    with pytest.raises(ValueError, match='the teacher of the config must be a detector, got ImageClassifier: name a'):
        load_detectors(Config(dict(model=network)), {})


def test_boxes_are_drawn_where_they_are():
    image = np.full((20, 30, 3), 128, np.uint8)
    drawn = draw_rows([image], dict(annotated=[Boxes([[5.0, 4.0, 15.0, 16.0]], [''])], net=[Boxes([], [])]))
    assert drawn.shape == (2 * (28 + 46), 66, 3)
    assert tuple(drawn[28 + 3 + 8, 3 + 20]) == GREEN  # upper edge, at twice the size behind title and border
    assert tuple(drawn[28 + 3 + 20, 3 + 20]) == (128, 128, 128)


def test_a_config_without_teacher():
    with pytest.raises(KeyError, match='no teacher: name a distillation config of detectors'):
        load_detectors(Config(dict(model=dict())), {})
