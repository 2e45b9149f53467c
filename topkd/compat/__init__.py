"""Stand-ins for parts of the ecosystem that an installation may lack."""

from topkd.compat.mmcv_finder import install_mmcv_ops

__all__ = ['install_mmcv_ops']
