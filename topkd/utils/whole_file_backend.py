"""MMEngine's local files, written whole or not at all.

MMEngine's own backend writes in place, so that a kill leaves half a file.
"""

from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from topkd.utils.files import whole_file


class WholeFileBackend(LocalBackend):
    """Write every local file beside its destination first, so that a kill leaves the old one as it was.

    MMEngine's checkpoints go through its file backends. Its own writes in place: a kill in the middle would destroy the
    checkpoint that a training had to go on from.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes; see :func:`topkd.utils.files.whole_file`."""
        with whole_file(filepath, len(obj)) as partial:
            partial.write_bytes(obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write a text; see :func:`topkd.utils.files.whole_file`."""
        self.put(obj.encode(encoding), filepath)


def use_whole_files() -> None:
    """Let MMEngine write its local files by :class:`WholeFileBackend` from now on."""
    register_backend('local', WholeFileBackend, force=True, prefixes='')
