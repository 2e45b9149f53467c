"""MMEngine finds the configs of a package in its metafiles, a hundred YAML files of mmdet: they are read once.

It reads all of them anew for every ``_base_`` that begins with ``package::``, which takes a fifth of a second each.
"""

from functools import cache


def read_metafiles_once() -> None:
    """Let MMEngine remember the metafiles that it has read; calling it again changes nothing."""
    from mmengine.config import utils

    if not hasattr(utils.load, 'cache_info'):
        utils.load = cache(utils.load)
