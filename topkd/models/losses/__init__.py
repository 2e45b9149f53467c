"""Losses between a student and a teacher, one a file."""

from topkd.models.losses.distillation_loss import DistillationLoss
from topkd.models.losses.kd_loss import KDLoss, kd_divergence
from topkd.models.losses.topology_loss import TopologyLoss

__all__ = ['DistillationLoss', 'KDLoss', 'TopologyLoss', 'kd_divergence']
