"""The paper's numbers as data: spot checks against the text, and that every table's rows have names that exist."""

import pytest

from topkd.reproduction.paper import note, paper_values, source
from topkd.reproduction.tables import R56_R20, TABLES

TOP1 = 'accuracy/top1'


def test_numbers_that_the_text_of_the_paper_repeats():
    assert 'ICML 2024' in source()
    for table in ('table1', 'table5', 'table6', 'table7'):
        assert paper_values(table, R56_R20)['TopKD'] == {TOP1: 71.58}
    assert paper_values('table6', R56_R20)['no-kd'] == {TOP1: 69.72}
    assert paper_values('table9', 'faster-rcnn_r101-r18_coco')['teacher'] == {
        'coco/bbox_mAP': 42.04,
        'coco/bbox_mAP_50': 62.48,
        'coco/bbox_mAP_75': 45.88,
    }
    assert paper_values('table4', 'resnet50-mobilenetv2_imagenet')['TopKD'] == {TOP1: 76.8, 'accuracy/top5': 92.8}
    assert paper_values('table11', R56_R20)['topology-weight-50'] == {TOP1: 71.25}
    assert paper_values('table12', R56_R20)['kd-weight-10'] == {TOP1: 70.34}
    assert paper_values('table10', 'resnet50-mobilenetv2_cifar100', 'stl10')['KD'] == {TOP1: 67.81}
    assert paper_values('table16', R56_R20)['homology-0-1'] == {'mean': 7.3e-05, 'sum': 7.2e-05}


def test_what_the_scan_does_not_show_is_left_out_and_said():
    assert 'TopKD' not in paper_values('table1', 'vgg13-vgg8_cifar100')
    assert paper_values('table1', 'vgg13-vgg8_cifar100')['KD'] == {TOP1: 72.98}
    assert 'not legible' in note('table1')
    assert note('table11') is None


def test_a_pair_that_the_paper_lacks_has_no_numbers():
    assert paper_values('table6', 'resnet20-resnet8_digits') == {}


@pytest.mark.parametrize('name', [name for name in TABLES if name != 'exact'])
def test_every_number_has_a_row_and_every_metric_a_heading(name):
    table = TABLES[name]
    for pair in table.pairs:
        values = paper_values(name, pair, table.measure.probes[0])
        ours = {variant.name for variant in table.variants} | {'teacher'}
        if name in ('table1', 'table2', 'table3', 'table4', 'table6', 'table9', 'table10', 'table20', 'table21'):
            assert {'plain', 'KD'} <= set(values), pair
        if name in ('table5', 'table7', 'table11', 'table12', 'table16', 'table17', 'table19'):
            assert set(values) == ours - {'teacher', 'KD'}
        for metrics in values.values():
            assert set(metrics) <= set(table.metrics)
