"""The packages that bring mmengine, mmcv, mmdet and mmpretrain: two families, and what to say if there is none."""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any

HOSTS = ('mmengine', 'mmcv', 'mmdet', 'mmpretrain')
INSTALL = (
    "pip install 'topkd[onedl]' brings the maintained forks of all four, "
    "pip install 'topkd[openmmlab]' OpenMMLab's own packages"
)


class MissingHostFinder:
    """Says what to install if a host toolbox is imported and no other finder has it."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Refuse the import of a missing host toolbox, and know nothing of other modules.

        Args:
            fullname (str): Dotted name of the module that is being imported.
            path (Any): ``__path__`` of its parent package, unused.
            target (Any): Module that is being reloaded, unused.

        Raises:
            ModuleNotFoundError: If the module is a host toolbox.
        """
        if fullname in HOSTS:
            raise ModuleNotFoundError(f'topkd needs {fullname}, which is not installed: {INSTALL}', name=fullname)
        return None


def explain_missing_hosts() -> None:
    """Let imports of missing host toolboxes end in one sentence; calling it again changes nothing."""
    if not any(isinstance(finder, MissingHostFinder) for finder in sys.meta_path):
        sys.meta_path.append(MissingHostFinder())  # at the end: whatever is installed is found before


def missing_hosts() -> list[str]:
    """List the host toolboxes that cannot be imported.

    Returns:
        list[str]: Their import names; empty if all are here.

    Example:
        >>> missing_hosts()
        []
    """
    return [name for name in HOSTS if not is_installed(name)]


def is_installed(name: str) -> bool:
    """Tell whether a top-level module can be found.

    Args:
        name (str): Its import name.

    Example:
        >>> is_installed('torch'), is_installed('no_such_module')
        (True, False)
    """
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
