"""What lets topkd run beside whichever host toolboxes are installed, and without the compiled operators of mmcv."""

from topkd.compat.hosts import explain_missing_hosts, is_installed
from topkd.compat.metafiles import read_metafiles_once
from topkd.compat.mmcv_finder import install_mmcv_ops
from topkd.compat.multimodal import leave_out_multimodal

__all__ = ['explain_missing_hosts', 'install_mmcv_ops', 'is_installed', 'leave_out_multimodal', 'read_metafiles_once']
