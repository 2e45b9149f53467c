"""Losses between a student and a teacher, one a file; those of methods are modules around :mod:`topkd.functional`.

``distillation_loss``: their base. ``topology_configs``: topology losses in configs, for tools that ask what they need.
``parts``: what several of them share.
"""

from topkd.functional.kd import kd_divergence
from topkd.models.losses.at_loss import ATLoss
from topkd.models.losses.catkd_loss import CATKDLoss
from topkd.models.losses.cc_loss import CCLoss
from topkd.models.losses.crcd_loss import CRCDLoss
from topkd.models.losses.crd_loss import CRDLoss
from topkd.models.losses.cwd_loss import CWDLoss
from topkd.models.losses.dense_kd_loss import DenseKDLoss
from topkd.models.losses.dist_loss import DISTLoss
from topkd.models.losses.distillation_loss import DistillationLoss
from topkd.models.losses.distpro_loss import DistProLoss
from topkd.models.losses.dkd_loss import DKDLoss
from topkd.models.losses.fgfi_loss import FGFILoss
from topkd.models.losses.fitnet_loss import FitNetLoss
from topkd.models.losses.fsp_loss import FSPLoss
from topkd.models.losses.ft_loss import FTLoss
from topkd.models.losses.kd_loss import KDLoss
from topkd.models.losses.mgd_loss import MGDLoss
from topkd.models.losses.norm_loss import NORMLoss
from topkd.models.losses.nst_loss import NSTLoss
from topkd.models.losses.ofd_loss import OFDLoss
from topkd.models.losses.pkd_loss import PKDLoss
from topkd.models.losses.pkt_loss import PKTLoss
from topkd.models.losses.reviewkd_loss import ReviewKDLoss
from topkd.models.losses.rkd_loss import RKDLoss
from topkd.models.losses.semckd_loss import SemCKDLoss
from topkd.models.losses.simkd_loss import SimKDLoss
from topkd.models.losses.sp_loss import SPLoss
from topkd.models.losses.srrl_loss import SRRLLoss
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.models.losses.vid_loss import VIDLoss

__all__ = [
    'ATLoss',
    'CATKDLoss',
    'CCLoss',
    'CRCDLoss',
    'CRDLoss',
    'CWDLoss',
    'DISTLoss',
    'DKDLoss',
    'DenseKDLoss',
    'DistProLoss',
    'DistillationLoss',
    'FGFILoss',
    'FSPLoss',
    'FTLoss',
    'FitNetLoss',
    'KDLoss',
    'MGDLoss',
    'NORMLoss',
    'NSTLoss',
    'OFDLoss',
    'PKDLoss',
    'PKTLoss',
    'RKDLoss',
    'ReviewKDLoss',
    'SPLoss',
    'SRRLLoss',
    'SemCKDLoss',
    'SimKDLoss',
    'TopologyLoss',
    'VIDLoss',
    'kd_divergence',
]
