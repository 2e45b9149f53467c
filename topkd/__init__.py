"""Knowledge distillation by topological characteristics, in the MMEngine style."""

from topkd.compat import (
    explain_missing_hosts,
    install_mmcv_ops,
    is_installed,
    leave_out_multimodal,
    read_metafiles_once,
)
from topkd.version import __version__

explain_missing_hosts()
install_mmcv_ops()
leave_out_multimodal()
if is_installed('mmengine'):  # topkd.topology works without it
    from mmengine.config.utils import MODULE2PACKAGE

    MODULE2PACKAGE['topkd'] = 'topkd'  # lets configs inherit from 'topkd::...'
    read_metafiles_once()

__all__ = ['__version__']
