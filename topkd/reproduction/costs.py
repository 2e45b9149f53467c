"""What a training step of each method costs relative to KD's, as ``benchmarks/methods.py`` measured it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from topkd.utils.files import read_json

FILE = 'methods_cost.json'


class StepCosts:
    """Measured costs of steps, by method.

    Args:
        content (Mapping): What the benchmark writes: ``methods`` by the names of variants, ``environment``; empty if
            nothing was measured.

    Examples:
        >>> content = dict(methods=dict(AT=dict(ratio_kd=1.1, memory_ratio_kd=1.0)), environment=dict(pair='mine'))
        >>> costs = StepCosts(content)
        >>> costs.of('mine', 'AT'), costs.of('mine', 'CRD'), costs.of('other', 'AT')
        ({'time': 1.1, 'memory': 1.0}, {}, {})
    """

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._methods, self._environment = content.get('methods', {}), content.get('environment', {})

    @classmethod
    def read(cls, folder: Path) -> StepCosts:
        """Read what the benchmark left in the folder of the reports; nothing if it did not run."""
        path = folder / FILE
        return cls(read_json(path) if path.is_file() else {})

    @property
    def source(self) -> str | None:
        """str | None: Where it was measured, None if it was not."""
        if not self._methods:
            return None
        found = self._environment
        place = f'{found["processor"]}, {found["threads"]} threads, torch {found["torch"]}'
        return f'measured on {found["pair"]}, batches of {found["batch"]}, {place}'

    def of(self, pair: str, variant: str) -> dict[str, float]:
        """Return the cost of a method's step.

        Args:
            pair (str): Name of a config.
            variant (str): Name of the variant.

        Returns:
            dict: ``time`` and ``memory`` relative to KD's step; empty if it was not measured on this pair.
        """
        found = self._methods.get(variant)
        if found is None or self._environment.get('pair') != pair:
            return {}
        return dict(time=found['ratio_kd'], memory=found['memory_ratio_kd'])
