"""Knowledge distillation by topological characteristics, in the MMEngine style."""

from mmengine.config.utils import MODULE2PACKAGE

from topkd.compat import install_mmcv_ops
from topkd.version import __version__

install_mmcv_ops()
MODULE2PACKAGE['topkd'] = 'topkd'  # lets configs inherit from 'topkd::...'

__all__ = ['__version__']
