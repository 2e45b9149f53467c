"""Metafiles of packages are read once a process."""

from mmengine.config import Config, utils

from topkd.compat import read_metafiles_once


def test_a_second_config_reads_no_metafile(tmp_path):
    (tmp_path / 'config.py').write_text("_base_ = ['mmpretrain::_base_/models/resnet18.py']\n")
    first = Config.fromfile(tmp_path / 'config.py')
    read, load = utils.load.cache_info().misses, utils.load
    assert read > 10
    read_metafiles_once()
    assert Config.fromfile(tmp_path / 'config.py').to_dict() == first.to_dict()
    assert utils.load is load and load.cache_info().misses == read


def test_configs_of_this_package_are_found_by_them(tmp_path):
    (tmp_path / 'config.py').write_text("_base_ = ['topkd::baselines/resnet8_digits.py']\n")
    assert Config.fromfile(tmp_path / 'config.py').model.backbone.depth == 8
