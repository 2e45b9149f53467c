"""Download of the official CIFAR-100 archive: verified, and complete or not there at all."""

import hashlib
import os
import shutil
import tarfile
import tempfile
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from mmengine.logging import print_log

FOLDER = 'cifar-100-python'
FILES = ('train', 'test', 'meta')
URL = 'https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz'
MD5 = 'eb9058c3a382ffc7106e4002c42a8d85'
BY_HAND = (
    f'fetch {URL} where a network allows, unpack it and set data_root to the folder that holds '
    f'{FOLDER}/{{train,test,meta}}'
)


def download_cifar100(target: Path) -> None:
    """Fetch the official archive and put its three files in ``target``, which appears only when it is complete.

    Args:
        target: The folder to make; its parents are made as well.

    Raises:
        FileNotFoundError: The archive cannot be fetched or written (no network, no permission, a full disk).
        ValueError: The archive that arrived is not the official one.
    """
    try:
        with urlopen(URL, timeout=30) as response:
            target.parent.mkdir(parents=True, exist_ok=True)
            # Beside the target, since a rename is atomic only within one file system.
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=f'.{FOLDER}-') as scratch:
                print_log(f'Downloading {URL} (about 170 MB) to {target}', logger='current')
                archive = Path(scratch, 'archive.tar.gz')
                _save(response, archive)
                _publish(_extract(archive, Path(scratch, FOLDER)), target)
    except (OSError, HTTPException) as error:
        raise FileNotFoundError(
            f'CIFAR-100 is not in {target} and could not be downloaded ({type(error).__name__}: {error}): {BY_HAND}.'
        ) from error


def _save(response, archive: Path) -> None:
    """Write the response to a file and compare its md5 sum with the official one."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(archive, 'wb') as file:
        while chunk := response.read(1 << 20):
            digest.update(chunk)
            file.write(chunk)
    if digest.hexdigest() != MD5:
        raise ValueError(
            f'Expected an archive with the md5 sum {MD5} from {URL}, got {digest.hexdigest()}: try again, or {BY_HAND}.'
        )


def _extract(archive: Path, folder: Path) -> Path:
    """Copy the three expected members into ``folder``; paths stored in the archive are never used for writing."""
    folder.mkdir()
    with tarfile.open(archive, 'r:gz') as tar:
        for name in FILES:
            with tar.extractfile(f'{FOLDER}/{name}') as source, open(folder / name, 'wb') as file:
                shutil.copyfileobj(source, file)
    return folder


def _publish(folder: Path, target: Path) -> None:
    """Rename the complete folder, unless another process that downloads as well was faster."""
    try:
        os.rename(folder, target)
    except OSError:
        if not all((target / name).is_file() for name in FILES):
            raise
