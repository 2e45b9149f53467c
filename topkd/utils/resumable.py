"""What a part of a model knows of its training besides weights.

MMEngine resumes weights and optimizers; a module's other knowledge has no place there.
"""

from abc import ABC, abstractmethod
from typing import Any


class Resumable(ABC):
    """A module with something that a resumed training needs and that is no weight: a count, or what it has seen.

    :class:`topkd.hooks.TrainingStateHook` keeps it in the checkpoints, apart from the weights, which others read.
    """

    @abstractmethod
    def progress(self) -> dict[str, Any]:
        """Return plain values and tensors; nothing in it may change afterwards."""

    @abstractmethod
    def go_on(self, progress: dict[str, Any]) -> None:
        """Take over what :meth:`progress` returned when the checkpoint was written.

        Args:
            progress (dict): See there.
        """
