"""Download of the official CIFAR-100 archive: verified, and complete or not there at all."""

import os
import shutil
import tarfile
import tempfile
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from mmengine.logging import print_log

FOLDER = 'cifar-100-python'
ARCHIVE = 'archive.tar.gz'
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
        target (Path): The folder to make; its parents are made as well.

    Raises:
        FileNotFoundError: If the archive cannot be fetched or written (no network, no permission, a full disk).
        ValueError: If the archive that arrived is not the official one.
    """
    from torchvision.datasets.utils import download_url  # takes a second to import, and is needed once

    made = [folder for folder in (target.parent, *target.parent.parents) if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target, since a rename is atomic only within one file system.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f'.{FOLDER}-') as scratch:
            print_log(f'Downloading {URL} (about 170 MB) to {target}', logger='current')
            download_url(URL, scratch, ARCHIVE, MD5)
            _publish(_extract(Path(scratch, ARCHIVE), Path(scratch, FOLDER)), target)
    except (OSError, HTTPException) as error:
        raise FileNotFoundError(
            f'CIFAR-100 is not in {target} and could not be downloaded ({type(error).__name__}: {error}): {BY_HAND}'
        ) from error
    except RuntimeError as error:  # torchvision's word for another md5 sum
        raise ValueError(
            f'expected an archive with the md5 sum {MD5} from {URL}, got another one: try again, or {BY_HAND}'
        ) from error
    finally:
        for folder in made:
            with suppress(OSError):  # it holds what was asked for, or something of another process
                folder.rmdir()


def _extract(archive: Path, folder: Path) -> Path:
    """Copy the three expected members into ``folder``; paths stored in the archive are never used for writing."""
    folder.mkdir()
    with tarfile.open(archive, 'r:gz') as tar:
        for name in FILES:
            source = tar.extractfile(f'{FOLDER}/{name}')
            if source is None:
                raise KeyError(f"'{FOLDER}/{name}' must be a file of the archive, got a folder or a link")
            with source, open(folder / name, 'wb') as file:
                shutil.copyfileobj(source, file)
    return folder


def _publish(folder: Path, target: Path) -> None:
    """Rename the complete folder, unless another process that downloads as well was faster."""
    try:
        os.rename(folder, target)
    except OSError:
        if not all((target / name).is_file() for name in FILES):
            raise
