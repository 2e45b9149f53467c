"""Processes that start at once: each is a fork of one that has imported everything and done nothing else."""

import multiprocessing

# what the tools import, in an order that works
IMPORTS = [
    'topkd',
    'topkd.cli',
    'topkd.launch',
    'topkd.training_setup',
    'topkd.models',
    'topkd.datasets',
    'topkd.hooks',
    'topkd.runners',
    'mmpretrain.models',
    'mmpretrain.datasets',
    'mmpretrain.evaluation',
    'mmpretrain.visualization',
    'mmdet.models',
    'mmdet.datasets',
    'mmdet.evaluation',
    'mmdet.visualization',
    'mmdet.engine',
]


def context():
    """Return multiprocessing's context of such processes; the first of them starts the one that is forked."""
    multiprocessing.set_forkserver_preload(IMPORTS)
    return multiprocessing.get_context('forkserver')
