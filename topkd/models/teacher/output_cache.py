"""Features of a teacher kept image by image, for data without augmentation."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from topkd.models.indices import indices_of


class OutputCache:
    """Keep what a frozen network showed of every image, in the host's memory.

    An image is known by its index in the training set, and recognized by a sum of its pixels weighted by their places,
    so that images that are cropped or flipped anew are refused instead of getting the features of another crop.
    Features of a batch are read from memory if all its images are known.
    """

    def __init__(self) -> None:
        self._features: dict[int, dict[str, Tensor]] = {}
        self._signatures: dict[int, float] = {}

    def __len__(self) -> int:
        """Return the number of images that are known."""
        return len(self._features)

    def read(
        self,
        inputs: Tensor,
        taps: Sequence[str],
        data_samples: Sequence[Any] | None,
        run: Callable[[], dict[str, Tensor]],
    ) -> dict[str, Tensor]:
        """Return the features of a batch, from memory or by running the network.

        Args:
            inputs (Tensor): Images (N, 3, H, W).
            taps (Sequence[str]): What is read; each a tensor (N, ...).
            data_samples (Sequence): One an image, with ``sample_idx``.
            run (Callable): Runs the network.

        Raises:
            ValueError: If a sample does not know its index, or an image is another one than before.
        """
        indices = indices_of(data_samples).tolist()
        self._check(indices, _signatures(inputs).tolist())
        if all(path in self._features.get(index, {}) for index in indices for path in taps):
            return {
                path: torch.stack([self._features[index][path] for index in indices]).to(inputs.device) for path in taps
            }
        features = run()
        for path, values in features.items():
            if len(values) != len(indices):
                raise ValueError(f"tap '{path}' has no feature for each image: set teacher.cache_outputs=False")
            for index, value in zip(indices, values.cpu().unbind()):
                self._features.setdefault(index, {})[path] = value.clone()
        return features

    def _check(self, indices: Sequence[int], signatures: Sequence[float]) -> None:
        for index, total in zip(indices, signatures):
            if abs(self._signatures.setdefault(index, total) - total) > 1e-6 * max(1.0, abs(total)):
                raise ValueError(
                    f'teacher.cache_outputs is for images that never change, but image {index} was another one '
                    'before: take the augmentation out of the data preprocessor and the pipeline, or set it to False'
                )


def _signatures(inputs: Tensor) -> Tensor:
    """Return a number of every image that tells it from its crops and flips (N, )."""
    pixels = inputs.flatten(1).double()
    return pixels @ torch.linspace(1, 2, pixels.shape[1], dtype=torch.float64, device=inputs.device)
