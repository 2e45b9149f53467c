"""Clouds that are being made: what is there already, and what of it can be trusted."""

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from topkd.artifacts.array_file import ArrayFile
from topkd.artifacts.artifact import RipsNetArtifact, check_request
from topkd.artifacts.integrity import damage, sealed
from topkd.utils.disk import check_room
from topkd.utils.files import remove_partials, write_json


class UnfinishedClouds:
    """The files of an artifact besides its own while its clouds and images are made.

    ``clouds.done.npy`` (N, ) marks the clouds that are on the disk, ``images.raw.npy`` (N, P) are images that are not
    divided by their scale yet. The marks must never speak of clouds that are gone or of another config: they are
    removed first and made last.

    Args:
        artifact (RipsNetArtifact): Whose clouds are made.
    """

    def __init__(self, artifact: RipsNetArtifact) -> None:
        self.artifact = artifact
        self.done = artifact.folder / 'clouds.done.npy'
        self.raw = artifact.folder / 'images.raw.npy'

    def open(self, request: dict[str, Any], width: Callable[[], int]) -> None:
        """Go on from what is there, and make again what is damaged; afterwards there is a manifest.

        Args:
            request (dict): What the clouds must be.
            width (Callable): Returns the width of the points, d, by making a cloud.

        Raises:
            OSError: If the disk has no room for the arrays.
            ValueError: If the folder holds clouds of another request.
        """
        self.artifact.folder.mkdir(parents=True, exist_ok=True)
        remove_partials(self.artifact.folder)
        manifest = self.artifact.found()
        if manifest:
            check_request(manifest['request'], request, self.artifact.folder)
        else:
            if self.artifact.manifest.is_file():
                _made_again(self.artifact.manifest, 'it cannot be read')
            self._forget_clouds()
        if manifest.get('complete'):
            manifest['complete'] = self._is_whole(manifest)
        if not manifest.get('complete'):
            manifest = dict(request=request, width=manifest.get('width') or width(), complete=False)
            write_json(sealed(manifest), self.artifact.manifest)
            self._make_arrays(manifest)

    def tidy(self) -> None:
        """Remove what only the making needed."""
        for path in (self.raw, self.done):
            path.unlink(missing_ok=True)

    def _is_whole(self, manifest: dict[str, Any]) -> bool:
        """Check complete clouds and images; those that are not damaged stay."""
        damaged = self.artifact.damages(manifest)
        for path, words in damaged.items():
            _made_again(path, words)
        if self.artifact.clouds in damaged:
            self._forget_clouds()
        elif damaged:
            ArrayFile.create(self.done, (manifest['request']['num_clouds'],), np.uint8, fill=1)
        return not damaged

    def _forget_clouds(self) -> None:
        for path in (self.done, self.artifact.clouds):
            path.unlink(missing_ok=True)

    def _make_arrays(self, manifest: dict[str, Any]) -> None:
        """Make the arrays that are missing or of another shape."""
        request, count = manifest['request'], manifest['request']['num_clouds']
        clouds = (count, request['num_points'], manifest['width'])
        images = (count, request['resolution'][0] * request['resolution'][1])
        wrong = damage(self.artifact.clouds, clouds, np.float32) or damage(self.done, (count,), np.uint8)
        raw = damage(self.raw, images, np.float32)
        # what is written at the very end has to fit, too
        missing = [shape for shape, lacks in ((clouds, wrong), (images, raw), (images, True)) if lacks]
        check_room(self.artifact.folder, 4 * sum(map(math.prod, missing)), f"'{self.artifact.name}'")
        if wrong:
            if self.done.is_file():
                _made_again(self.artifact.clouds, wrong)
            self._forget_clouds()
            ArrayFile.create(self.artifact.clouds, clouds)
            ArrayFile.create(self.done, (count,), np.uint8)
        if raw:
            ArrayFile.create(self.raw, images)


def _made_again(path: Path, words: str) -> None:
    print_log(f"'{path}' is made again: {words}", 'current', logging.WARNING)
