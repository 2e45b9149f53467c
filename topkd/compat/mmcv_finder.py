"""Where Python finds ``mmcv._ext`` when no compiled one is installed.

mmcv imports its compiled extension on the first ``import mmcv.ops``; MMEngine asks ``importlib.util.find_spec`` about
it without importing it. Both reach the finder below, and only after every other finder gave up: a compiled extension
wins by construction, nothing of mmcv, torch or torchvision is imported ahead of its use, and mmcv may be imported
before or after topkd.

A process that is spawned (not forked) starts without the finder: import topkd at the top of the script, outside of
``if __name__ == '__main__'``.
"""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from os.path import dirname, join
from typing import Any

EXTENSION = 'mmcv._ext'


class MMCVExtensionFinder:
    """Answers for the module ``mmcv._ext`` and for nothing else."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of the stand-in extension, None for every other module.

        Args:
            fullname (str): Dotted name of the module that is being imported.
            path (Any): ``__path__`` of its parent package, unused.
            target (Any): Module that is being reloaded, unused.

        Returns:
            ModuleSpec | None: The spec of ``mmcv_ext.py`` under the name ``mmcv._ext``, or None.
        """
        if fullname != EXTENSION:
            return None
        return spec_from_file_location(fullname, join(dirname(__file__), 'mmcv_ext.py'))


def install_mmcv_ops() -> None:
    """Make ``mmcv._ext`` importable where no compiled one exists; calling it again changes nothing."""
    if not any(isinstance(finder, MMCVExtensionFinder) for finder in sys.meta_path):
        # At the end: the finders of installed packages, hence a compiled extension, are asked first.
        sys.meta_path.append(MMCVExtensionFinder())
