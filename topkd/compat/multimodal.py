"""mmpretrain's multimodal models are left out if the installed transformers is one that they do not know.

mmpretrain imports them with its classifiers as soon as transformers is installed. They were written for its fourth
series and cannot be imported beside the fifth, so that nothing of mmpretrain could. topkd has no use for them.
"""

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.metadata import PackageNotFoundError, version
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any

SWITCH = 'mmpretrain.utils.dependency'
FIRST_UNKNOWN = 5  # major version of transformers


def transformers_is_unknown() -> bool:
    """Tell whether a transformers is installed that mmpretrain's multimodal models do not work with."""
    try:
        return int(version('transformers').partition('.')[0]) >= FIRST_UNKNOWN
    except PackageNotFoundError:
        return False


class _SwitchLoader(SourceFileLoader):
    """Loads mmpretrain's module of optional dependencies, and takes back what it says of multimodal models."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if transformers_is_unknown():
            vars(module)['WITH_MULTIMODAL'] = False


class MultimodalSwitchFinder(MetaPathFinder):
    """Finds mmpretrain's module of optional dependencies, and nothing else."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the module's own spec with another loader, None for every other module.

        Args:
            fullname (str): Dotted name of the module that is being imported.
            path (Any): ``__path__`` of its parent package.
            target (Any): Module that is being reloaded, unused.
        """
        if fullname != SWITCH:
            return None
        found = PathFinder.find_spec(fullname, path)
        if found is None or found.origin is None:
            return None
        return spec_from_file_location(fullname, found.origin, loader=_SwitchLoader(fullname, found.origin))


def leave_out_multimodal() -> None:
    """Let mmpretrain be imported beside every transformers; calling it again changes nothing."""
    if not any(isinstance(finder, MultimodalSwitchFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, MultimodalSwitchFinder())  # before the finder of files, which knows the module too
