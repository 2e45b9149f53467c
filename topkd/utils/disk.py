"""Whether a disk has room for what is to be written.

shutil tells how many bytes are free; which file would not fit, and what to do, is said here.
"""

import os
import shutil
from pathlib import Path

ROOM = 64 * 2**20  # bytes; below that not even a small student's checkpoint fits


def check_room(folder: str | Path, needed: int = ROOM, what: str = 'this run') -> None:
    """Refuse a disk without room for what will be written.

    Args:
        folder (str | Path): Where it will be; need not exist yet.
        needed (int): Bytes. Defaults to what the smallest checkpoint takes.
        what (str): Needs them, for the message. Defaults to 'this run'.

    Raises:
        OSError: If there is less, or the folder cannot be written to.
    """
    place = Path(folder).absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OSError(
            f"the disk of '{folder}' has {free / 2**20:.0f} MiB left, {what} needs {needed / 2**20:.0f} MiB or more: "
            'free space there, or name another folder'
        )
    if not os.access(place, os.W_OK) or not place.is_dir():
        raise OSError(f"'{folder}' cannot be made or written to, because of '{place}': name another folder")
