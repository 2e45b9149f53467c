"""The frozen teacher: its network and weights, and a forward pass that is faster than the network's own.

``teacher``: the network, fed from the student's batches. ``fast_forward``: its faster copy, by ``batch_norm_folding``.
``output_cache``: its features kept image by image.
"""

from topkd.models.teacher.teacher import OWN, Teacher, brings_weights, check_weights, renormalize, teacher_config

__all__ = ['OWN', 'Teacher', 'brings_weights', 'check_weights', 'renormalize', 'teacher_config']
