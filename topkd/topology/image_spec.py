"""The spec of persistence images: resolution, bandwidth, range, scale."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class ImageSpec(nn.Module):
    """Hold the fitted numbers of persistence images, in the state dict and as plain numbers.

    Args:
        resolution (Sequence[int]): Number of birth columns and of persistence rows.

    Raises:
        ValueError: If the resolution is not two positive whole numbers.

    Example:
        >>> spec = dict(bandwidth=0.5, im_range=[0.0, 1.0, 0.0, 2.0], scale=4.0)
        >>> ImageSpec((1, 20)).load_spec(spec).spec()
        {'resolution': [1, 20], 'bandwidth': 0.5, 'im_range': [0.0, 1.0, 0.0, 2.0], 'scale': 4.0}
    """

    bandwidth: Tensor
    im_range: Tensor
    scale: Tensor
    pixels: Tensor
    fitted: Tensor

    def __init__(self, resolution: Sequence[int]) -> None:
        super().__init__()
        sizes = tuple(resolution) if isinstance(resolution, Iterable) else ()
        if len(sizes) != 2 or not all(isinstance(size, Real) and size >= 1 and size % 1 == 0 for size in sizes):
            raise ValueError(f'resolution must be two positive whole numbers (columns, rows), got {resolution!r}')
        self.resolution: tuple[int, int] = (int(sizes[0]), int(sizes[1]))
        self.register_buffer('bandwidth', torch.ones(()))
        self.register_buffer('im_range', torch.tensor([0.0, 1.0, 0.0, 1.0]))
        self.register_buffer('scale', torch.ones(()))
        self.register_buffer('pixels', torch.tensor(self.resolution))
        self.register_buffer('fitted', torch.tensor(False))
        self._ready = False  # what is known of ``fitted`` without waiting for a GPU

    def spec(self) -> dict[str, Any]:
        """Return what was fitted as plain numbers and lists, for :meth:`load_spec` and :meth:`from_spec`.

        Raises:
            RuntimeError: If nothing was fitted.
        """
        self._check_fitted()
        return dict(
            resolution=list(self.resolution),
            bandwidth=self.bandwidth.item(),
            im_range=self.im_range.tolist(),
            scale=self.scale.item(),
        )

    def load_spec(self, spec: dict[str, Any]) -> 'ImageSpec':
        """Take over a fitted spec.

        Args:
            spec (dict): bandwidth, im_range, scale and, optionally, resolution, as :meth:`spec` returns them.

        Returns:
            ImageSpec: Itself.

        Raises:
            ValueError: If a value is missing or senseless, or the resolution is another one.
        """
        check_spec(spec, self.resolution)
        for name in ('bandwidth', 'im_range', 'scale'):
            getattr(self, name).copy_(torch.as_tensor(spec[name], dtype=torch.float64))
        self.fitted.fill_(True)
        self._ready = True
        return self

    @classmethod
    def from_spec(cls, spec: dict[str, Any]) -> 'ImageSpec':
        """Build an instance from what :meth:`spec` returned."""
        return cls(spec.get('resolution', (20, 20))).load_spec(spec)

    def _check_fitted(self) -> None:
        self._ready = self._ready or bool(self.fitted)
        if not self._ready:
            raise RuntimeError(
                f'{type(self).__name__} was not fitted: call fit(diagrams) or load_spec(spec), or load '
                'a state dict, before making images'
            )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        pixels: list[int] = state_dict.get(prefix + 'pixels', self.pixels).tolist()
        if tuple(pixels) != self.resolution:
            raise ValueError(
                f'the state dict holds images of resolution {tuple(pixels)}, this {type(self).__name__} '
                f'has {self.resolution}: build it with resolution={tuple(pixels)}'
            )
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._ready = False

    def extra_repr(self) -> str:
        """Show the resolution."""
        return f'resolution={self.resolution}'


def check_spec(spec: dict[str, Any], resolution: tuple[int, int]) -> None:
    """Check a spec of persistence images.

    Args:
        spec (dict): bandwidth, im_range, scale and, optionally, resolution.
        resolution (tuple): The resolution that is needed.

    Raises:
        ValueError: If a value is missing or senseless, or the resolution is another one.

    Example:
        >>> check_spec(dict(bandwidth=0.5, im_range=[0.0, 1.0, 0.0, 2.0], scale=4.0), (20, 20))
    """
    if not isinstance(spec, Mapping):
        raise ValueError(f"the images' spec must be a dict, got {spec!r}: take one from PersistenceImager.spec()")
    missing = {'bandwidth', 'im_range', 'scale'} - set(spec)
    if missing:
        raise ValueError(f"the images' spec lacks {', '.join(sorted(missing))}: take one from PersistenceImager.spec()")
    asked = spec.get('resolution', resolution)
    found = tuple(asked) if isinstance(asked, (list, tuple)) else asked
    if found != resolution:
        raise ValueError(
            f"the images' spec is for resolution {found}, needed is {resolution}: fit on images of this size"
        )
    for name in ('bandwidth', 'scale'):
        if not 0 < _number(spec[name]) < np.inf:
            raise ValueError(f'{name} must be positive and finite, got {spec[name]}: fit on other diagrams')
    given = spec['im_range']
    limits = np.array([_number(limit) for limit in given] if isinstance(given, Iterable) else [])
    if limits.shape != (4,) or not np.isfinite(limits).all() or limits[0] > limits[1] or limits[2] > limits[3]:
        raise ValueError(
            'im_range must be (lowest birth, highest birth, lowest persistence, highest persistence), '
            f'got {limits.tolist()}'
        )


def _number(value: Any) -> float:
    """Return a value as a number, NaN if it is none."""
    try:
        return np.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan
