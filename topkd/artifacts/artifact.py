"""What is made once a teacher: its clouds, their persistence images, and the RipsNet trained on them."""

import json
import re
from pathlib import Path
from typing import Any

from topkd.artifacts.array_file import ArrayFile
from topkd.artifacts.integrity import damage, first_not_finite, is_sealed, record
from topkd.utils.files import read_json

ROOT = Path('work_dirs', 'ripsnet')
OPERATORS = ('mean', 'sum')  # a RipsNet is trained with each
AT_WORK = 'making clouds or writing ripsnet.pth'  # what a process does that holds the folder's lock
COMMANDS = 'python tools/gen_pi.py CONFIG\n  python tools/train_ripsnet.py CONFIG'


class RipsNetArtifact:
    """The folder that all students of a teacher share.

    It holds ``clouds.npy``, ``images.npy``, ``manifest.json`` and ``ripsnet.pth``.

    Args:
        teacher (str): Name of the teacher; it says network and data set, for example ``resnet56_cifar100``.
        request (dict): What the clouds and images must be, as plain values: ``tap``, ``cloud``, ``num_points``,
            ``normalization``, ``homology_dims``, ``resolution``; see :meth:`topkd.models.TopologyLoss.request`.
        ripsnet (Path, optional): File of the network; the rest lies beside it. None: ``ripsnet.pth`` in
            ``work_dirs/ripsnet/<name>``, see :func:`artifact_name`.

    Example:
        >>> request = dict(
        ...     tap='neck[0]',
        ...     cloud='BatchCloud',
        ...     num_points=64,
        ...     normalization='none',
        ...     homology_dims=[0],
        ...     resolution=[20, 20],
        ... )
        >>> RipsNetArtifact('resnet56_cifar100', request).ripsnet.as_posix()
        'work_dirs/ripsnet/resnet56_cifar100_neck-0_n64_h0/ripsnet.pth'
    """

    def __init__(self, teacher: str, request: dict[str, Any], ripsnet: str | Path | None = None) -> None:
        self.teacher = teacher
        self.request = dict(request)
        self.ripsnet = ROOT / artifact_name(teacher, request) / 'ripsnet.pth' if ripsnet is None else Path(ripsnet)
        self.folder = self.ripsnet.parent

    @property
    def name(self) -> str:
        """str: The folder's name."""
        return self.folder.name

    @property
    def clouds(self) -> Path:
        """Path: The clouds (N, n, d)."""
        return self.folder / 'clouds.npy'

    @property
    def images(self) -> Path:
        """Path: Their images (N, P)."""
        return self.folder / 'images.npy'

    @property
    def manifest(self) -> Path:
        """Path: What the clouds are and whether they are complete."""
        return self.folder / 'manifest.json'

    def result(self, operator: str) -> Path:
        """Return the path of the result of training one operator."""
        return self.folder / operator / 'result.json'

    def has_clouds(self) -> bool:
        """Tell whether clouds and images are complete."""
        return bool(self.found().get('complete'))

    def found(self) -> dict[str, Any]:
        """Return what the manifest says, complete or not; nothing if there is none or it is damaged."""
        try:
            content = json.loads(self.manifest.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        known = isinstance(content, dict) and isinstance(content.get('request'), dict) and is_sealed(content)
        return content if known else {}

    def record(self) -> dict[str, Any]:
        """Return the sizes and checksums of clouds and images, for the manifest."""
        return {path.name: record(path) for path in (self.clouds, self.images)}

    def damages(self, manifest: dict[str, Any]) -> dict[Path, str]:
        """Say what is wrong with the arrays of complete clouds.

        The arrays are read completely: about a second a gigabyte.

        Args:
            manifest (dict): Whose sizes and checksums they must have; those of older versions hold none.

        Returns:
            dict: A few words by path; empty if nothing is wrong.
        """
        request, recorded = manifest['request'], manifest.get('files', {})
        shapes = {
            self.clouds: (request.get('num_clouds'), request['num_points'], manifest['width']),
            self.images: (request.get('num_clouds'), request['resolution'][0] * request['resolution'][1]),
        }
        found = {path: damage(path, shape, 'float32', recorded.get(path.name)) for path, shape in shapes.items()}
        result = {path: words for path, words in found.items() if words is not None}
        if not result and len(ArrayFile(self.clouds)) != len(ArrayFile(self.images)):
            result[self.images] = 'it holds another number of rows than the clouds'
        for path in shapes if not result else ():
            row = first_not_finite(path)
            if row is not None:
                result[path] = f'row {row} holds numbers that are not finite'
        return result

    def check_arrays(self, manifest: dict[str, Any]) -> None:
        """Refuse arrays that are not what the manifest says.

        Raises:
            ValueError: Naming each of them and what is wrong with it.
        """
        damaged = self.damages(manifest)
        if damaged:
            listed = '; '.join(f"'{path}': {words}" for path, words in damaged.items())
            raise ValueError(
                f'the artifact is damaged ({listed}): run tools/gen_pi.py CONFIG again, which makes the damaged part '
                'again'
            )

    def read_manifest(self) -> dict[str, Any]:
        """Read the manifest of complete clouds, see :func:`read_manifest`."""
        return read_manifest(self.folder)

    def check(self, found: dict[str, Any], **asked: Any) -> None:
        """Refuse clouds that were made for another config.

        Args:
            found (dict): ``request`` of the manifest.
            **asked (Any): Entries to compare besides those of this artifact's own request.

        Raises:
            ValueError: Naming every entry that differs.
        """
        check_request(found, dict(teacher=self.teacher, **self.request, **asked), self.folder)

    def read_whole_manifest(self) -> dict[str, Any]:
        """Read the manifest of complete clouds of this artifact's own request, with all that a RipsNet needs of it.

        Raises:
            ValueError: If it is damaged, or that of other clouds.
        """
        manifest = self.read_manifest()
        lacks = [key for key in ('request', 'width', 'spec') if key not in manifest]
        if lacks:
            raise ValueError(
                f"'{self.manifest}' lacks {', '.join(lacks)}: delete the folder and run tools/gen_pi.py CONFIG again"
            )
        self.check(manifest['request'])
        return manifest

    def settings(self, operators: tuple[str, ...]) -> dict[str, Any]:
        """Return the settings that the files were made with, as far as they say.

        Args:
            operators (tuple[str, ...]): Whose trainings are looked for.

        Returns:
            dict: By ``clouds.<name>`` and ``ripsnet.<name>``.
        """
        request = self.found().get('request', {})
        keys = [key for key in ('num_clouds', 'seed', 'batch_statistics', 'scales') if key in request]
        found: dict[str, Any] = {f'clouds.{key}': request[key] for key in keys}
        for path in map(self.result, operators):
            if path.is_file():
                made = read_json(path).get('settings', {})
                found.update({f'ripsnet.{key}': value for key, value in made.items()})
        return found


def artifact_name(teacher: str, request: dict[str, Any]) -> str:
    """Name the folder of a teacher's clouds.

    It is ``<teacher>_<tap>_n<points>_h<dims>``, and behind it what departs from the paper.

    Args:
        teacher (str): Name of the teacher.
        request (dict): See :class:`RipsNetArtifact`.

    Raises:
        ValueError: If the teacher's name is no name of a folder below the artifacts'.
    """
    if not teacher.strip() or teacher.startswith('/') or '..' in Path(teacher).parts:
        raise ValueError(f"teacher.name is a part of its artifacts' folder, got '{teacher}': name network and data set")
    taps = [request['tap']] if isinstance(request['tap'], str) else request['tap']
    points = 'batch' if request['num_points'] is None else request['num_points']
    parts = [
        teacher,
        '-'.join(re.sub(r'\W+', '-', path).strip('-') for path in taps),
        f'n{points}',
        'h' + ''.join(map(str, request['homology_dims'])),
    ]
    if request['cloud'] != 'BatchCloud':
        parts.append(request['cloud'])
    if request['normalization'] != 'none':
        parts.append(request['normalization'])
    if request['resolution'] != [20, 20]:
        parts.append('x'.join(map(str, request['resolution'])))
    return '_'.join(parts)


def read_manifest(folder: str | Path) -> dict:
    """Read an artifact's manifest.

    Raises:
        FileNotFoundError: If the folder holds none.
        ValueError: If it is unreadable, or the artifact was not finished.
    """
    path = Path(folder) / 'manifest.json'
    if not path.is_file():
        raise FileNotFoundError(f"'{folder}' holds no clouds: run tools/gen_pi.py CONFIG first")
    try:
        manifest = json.loads(path.read_text())
        if not isinstance(manifest, dict):
            raise ValueError(f'it holds a {type(manifest).__name__}')
    except ValueError as error:
        raise ValueError(
            f"'{path}' is damaged ({error}): delete the folder and run tools/gen_pi.py CONFIG again"
        ) from error
    if not is_sealed(manifest):
        raise ValueError(
            f"'{path}' is damaged (a value was changed): run tools/gen_pi.py CONFIG again, which makes it again"
        )
    if not manifest.get('complete'):
        raise ValueError(
            f"the clouds in '{folder}' are not finished: run tools/gen_pi.py CONFIG again, it goes on where it stopped"
        )
    return manifest


def check_request(found: dict, asked: dict, folder: str | Path) -> None:
    """Compare what an artifact holds with what a config asks for.

    Raises:
        ValueError: Naming every entry that differs.
    """
    different = [
        f'{key} {found.get(key)!r}, asked for {value!r}' for key, value in asked.items() if found.get(key) != value
    ]
    if different:
        raise ValueError(
            f"the artifact in '{folder}' was made for another config ({'; '.join(different)}): delete the folder, or "
            'set vectorizer.checkpoint to a path in another one'
        )
