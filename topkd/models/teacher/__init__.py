"""The frozen teacher: its network and weights, and a forward pass that is faster than the network's own."""

from topkd.models.teacher.teacher import OWN, Teacher, brings_weights, check_weights, renormalize, teacher_config

__all__ = ['OWN', 'Teacher', 'brings_weights', 'check_weights', 'renormalize', 'teacher_config']
