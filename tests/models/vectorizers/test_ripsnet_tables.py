"""RipsNet's units, parameters, points and dimensions as the configs make them, against the paper's Tables 14 to 19."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from topkd.analysis.cloud_size import cloud_size
from topkd.models import RipsNet
from topkd.models.losses.topology_configs import unloaded_loss

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
IMAGE_UNITS = [50, 100, 200, 400]
# units before the mean as Tables 14, 15, 18 and 19 print them, by what the teacher's tap shows, with the parameters that
# three layers with bias and four without it have: d0 d1 + d1 + d1 d2 + d2 + d2 d3 + d3 + 50 d3 + 105,000
UNITS = {
    16: ([16, 16, 16, 16], 106_616),
    32: ([32, 32, 16, 16], 107_656),
    64: ([64, 64, 32, 32], 113_896),
    128: ([128, 128, 64, 64], 137_128),
    256: ([256, 256, 128, 128], 226_600),
    512: ([512, 512, 256, 256], 577_576),
    2048: ([2048, 1024, 512, 256], 2_872_104),
}
TABLE14 = dict(
    resnet56=64, resnet110=64, resnet32x4=256, wrn40_2=128, vgg13=512, resnet50=2048
)  # 64 points, dimension 0
TABLE15 = {'resnet34-resnet18': 512, 'resnet50-mobilenetv2': 2048}  # 256 points
TABLE16 = {'topkd/resnet56-resnet20_cifar100': [0], 'ablations/homology-1': [1], 'ablations/homology-0-1': [0, 1]}
TABLE17 = (8, 16, 32, 64, 128, 256)
TABLE18 = ('r101-r18', 'r101-r50', 'r50-mv2')  # 256 channels, 8 points
TABLE19 = {1: 16, 2: 16, 3: 32, 4: 64}


def read(name: str) -> Config:
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    init_default_scope(cfg.default_scope)
    return cfg


def check(cfg: Config, num_points: int, width: int, dims: list) -> None:
    """Compare the RipsNet that a config's teacher and tap lead to with the tables."""
    assert cloud_size(cfg) == (num_points, width)
    assert unloaded_loss(cfg).request()['homology_dims'] == dims
    vectorizer = {
        key: value for key, value in cfg.model.losses.topology.vectorizer.items() if key not in ('type', 'checkpoint')
    }
    assert cfg.model.losses.topology.vectorizer.type == 'RipsNet'
    network = RipsNet(**dict(vectorizer, in_channels=width))
    layers = [*network.point_layers, *network.image_layers]
    units, parameters = UNITS[width]
    assert [layers[0].in_features] + [layer.out_features for layer in layers] == units + IMAGE_UNITS
    assert [layer.bias is not None for layer in layers] == [True] * 3 + [False] * 4
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_parameters_are_the_sum_of_the_layers():
    for (first, second, third, fourth), parameters in UNITS.values():
        before = first * second + second + second * third + third + third * fourth + fourth
        assert before + fourth * 50 + 50 * 100 + 100 * 200 + 200 * 400 == parameters


# one pair is of our own study, not of the paper
STUDY = 'resnet32-resnet8_cifar100'
PAIRS = sorted({path.stem for path in (CONFIGS / 'topkd').glob('*_cifar100.py')} - {STUDY})


def test_table_14_names_the_teachers_of_all_thirteen_pairs():
    assert len(PAIRS) == 13 and {name.split('-')[0] for name in PAIRS} == set(TABLE14)


@pytest.mark.parametrize('name', PAIRS)
def test_table_14_cifar_100(name):
    check(read(f'topkd/{name}'), 64, TABLE14[name.split('-')[0]], [0])


@pytest.mark.parametrize('pair', TABLE15)
def test_table_15_imagenet(pair):
    check(read(f'topkd/{pair}_imagenet'), 256, TABLE15[pair], [0])


@pytest.mark.parametrize('name', TABLE16)
def test_table_16_homology_dimensions(name):
    check(read(name), 64, 64, TABLE16[name])


@pytest.mark.parametrize('num_points', TABLE17)
def test_table_17_points(num_points):
    name = f'ablations/points-{num_points}' if num_points != 64 else 'topkd/resnet56-resnet20_cifar100'
    check(read(name), num_points, 64, [0])


@pytest.mark.parametrize('pair', TABLE18)
def test_table_18_coco(pair):
    check(read(f'topkd/faster-rcnn_{pair}_coco'), 8, 256, [0])


@pytest.mark.parametrize('stage', TABLE19)
def test_table_19_stages(stage):
    check(
        read(f'ablations/stages-{stage}-{stage}' if stage != 4 else 'topkd/resnet56-resnet20_cifar100'),
        64,
        TABLE19[stage],
        [0],
    )
