"""The steps before the distillation: clouds and images, and RipsNet."""

from topkd.runners.persistence_image_runner import PersistenceImageRunner
from topkd.runners.ripsnet_runner import RipsNetRunner

__all__ = ['PersistenceImageRunner', 'RipsNetRunner']
