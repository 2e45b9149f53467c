"""Names that are nearly those that somebody reads."""

import pytest
from mmengine.config import Config

from topkd.preflight.names import check_names


@pytest.mark.parametrize(
    'entries, message',
    [
        (
            dict(custom_hook=[dict(type='A')]),
            "^nobody reads 'custom_hook', which may be meant as 'custom_hooks': correct it in the config$",
        ),
        (dict(trian_cfg=dict(max_epochs=3)), "which may be meant as 'train_cfg'"),
        (dict(optim_wraper=dict(type='A')), "which may be meant as 'optim_wrapper'"),
        (dict(load_form='a.pth'), "which may be meant as 'load_from'"),
        (
            dict(default_hooks=dict(chekpoint=dict(type='CheckpointHook'))),
            "'default_hooks.chekpoint' would stand beside 'default_hooks.checkpoint', as which it may be",
        ),
        (
            dict(optim_wrapper=dict(paramwise_cfg=dict(norm_decay=0.0))),
            "nobody reads 'optim_wrapper.paramwise_cfg.norm_decay', known are bias_decay_mult, ",
        ),
        (dict(custom_hook=[2], resme=True), 'correct them in the config'),
    ],
)
def test_slips(entries, message):
    with pytest.raises(ValueError, match=message):
        check_names(Config(entries))


@pytest.mark.parametrize(
    'entries',
    [
        dict(cloud=dict(num_points=8), model=dict(losses=dict(topology=dict(cloud=dict(num_points=8))))),
        dict(val_evaluator_2=dict(type='A'), data_root_07='x', dataset_type='A', max_epochs=3),
        dict(default_hooks=dict(checkpoint_2=dict(type='A'), visualization=dict(type='B'), logger=None)),
        dict(optim_wrapper=dict(constructor='LearningRateDecay', paramwise_cfg=dict(layer_decay_rate=0.7))),
        dict(default_hooks=None, optim_wrapper=None),
    ],
)
def test_other_names(entries):
    check_names(Config(entries))
