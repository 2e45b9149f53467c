"""Clouds at other scales: which, by how much, and whose images they get."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from topkd.artifacts.cloud_scales import CloudScales
from topkd.runners import PersistenceImageRunner, RipsNetRunner
from topkd.topology import PersistenceImager, rips_h0


def test_factors_are_log_uniform_and_depend_on_seed_and_cloud_alone():
    factors = np.array([CloudScales((0.1, 3.0), 5).factor(cloud) for cloud in range(1, 4001, 2)])
    assert factors.min() >= 0.1 and factors.max() <= 3.0
    # the median of a log-uniform variable is the geometric mean of its bounds
    assert np.median(factors) == pytest.approx(0.3**0.5, rel=0.1)
    assert CloudScales((0.1, 3.0), 6).factor(1) != factors[0] == CloudScales((0.1, 3.0), 5).factor(1)
    assert {CloudScales((0.1, 3.0)).factor(cloud) for cloud in range(0, 20, 2)} == {1.0}
    assert {CloudScales(None).factor(cloud) for cloud in range(20)} == {1.0}


def test_bounds_must_be_bounds():
    for bounds in ((0.0, 1.0), (2.0, 1.0), (1.0,)):
        with pytest.raises(ValueError, match='clouds.scales must be the least and the greatest factor, both positive'):
            CloudScales(bounds)


def test_scaled_clouds_get_exact_images_of_the_unscaled_clouds_spec(small_config, teacher_checkpoint):
    options = {'model.teacher.checkpoint': teacher_checkpoint}
    plain = Path(PersistenceImageRunner.from_cfg(small_config('plain', **options)).run())
    scaled = Path(
        PersistenceImageRunner.from_cfg(small_config('scaled', **options, **{'clouds.scales': (0.1, 3.0)})).run()
    )
    before, after = np.load(plain / 'clouds.npy'), np.load(scaled / 'clouds.npy')
    factors = np.array([CloudScales((0.1, 3.0), 0).factor(cloud) for cloud in range(24)])
    assert np.allclose(after, before * factors[:, None, None], rtol=1e-6)
    manifest = json.loads((scaled / 'manifest.json').read_text())
    assert manifest['request']['scales'] == [0.1, 3.0]
    deaths = rips_h0(torch.from_numpy(before[::2]))
    assert manifest['spec']['im_range'] == pytest.approx([0, 0, deaths.min().item(), deaths.max().item()], rel=1e-5)
    imager = PersistenceImager((20, 20))
    imager.load_spec(manifest['spec'])
    assert np.allclose(
        np.load(scaled / 'images.npy'), imager.images_from_deaths(rips_h0(torch.from_numpy(after))), atol=1e-5
    )
    assert np.load(scaled / 'images.npy').max() == pytest.approx(1)
    assert Path(
        RipsNetRunner.from_cfg(small_config('scaled', **options, **{'clouds.scales': (0.1, 3.0)})).run()
    ).is_file()


def test_scales_of_another_request_or_of_clouds_without_scale_are_refused(small_config, teacher_checkpoint):
    options = {'model.teacher.checkpoint': teacher_checkpoint}
    PersistenceImageRunner.from_cfg(small_config(**options)).run()
    with pytest.raises(ValueError, match=r'scales None, asked for \[0.5, 2.0\]'):
        PersistenceImageRunner.from_cfg(small_config(**options, **{'clouds.scales': (0.5, 2.0)})).run()
    options['model.losses.topology.cloud.normalization'] = 'unit_norm'
    with pytest.raises(ValueError, match="no effect on clouds with normalization 'unit_norm'"):
        PersistenceImageRunner.from_cfg(small_config(**options, **{'clouds.scales': (0.5, 2.0)}))
