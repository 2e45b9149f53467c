"""The folder of a teacher's clouds, images and RipsNet: its name and its manifest."""

import json
import os
import re
from pathlib import Path
from typing import Any

ROOT = 'work_dirs/ripsnet'
COMMANDS = 'python tools/gen_pi.py CONFIG\n  python tools/train_ripsnet.py CONFIG'


def cloud_request(loss: dict) -> dict[str, Any]:
    """Return what a topology loss's config asks of its clouds and images, as plain values.

    Args:
        loss (dict): Config of a :class:`topkd.models.TopologyLoss`.

    Returns:
        dict: tap, cloud, homology_dims and resolution.
    """
    vectorizer, cloud = loss.get('vectorizer', {}), loss.get('cloud', {})
    taps = loss.get('teacher_tap') or loss.get('student_tap', 'neck[0]')
    # entries that only some clouds have
    extra = {key: cloud[key] for key in ('ignore_padding', 'images_per_cloud') if cloud.get(key)}
    return dict(
        extra,
        tap=taps if isinstance(taps, str) else list(taps),
        cloud=cloud.get('type', 'BatchCloud').split('.')[-1],
        num_points=cloud['grid'] ** 2 if 'grid' in cloud else cloud.get('num_points'),
        normalization=cloud.get('normalization', 'none'),
        homology_dims=list(vectorizer.get('homology_dims', (0,))),
        resolution=list(vectorizer.get('resolution', (20, 20))),
    )


def artifact_folder(teacher_name: str, loss: dict) -> str:
    """Return the folder that all students of a teacher share.

    ``work_dirs/ripsnet/<teacher>_<tap>_n<points>_h<dims>``, with what departs from the paper's clouds and images behind
    it. A teacher's name says network and data set, for example ``resnet56_cifar100``.

    Args:
        teacher_name (str): Name of the teacher.
        loss (dict): Config of the topology loss.
    """
    checkpoint = loss.get('vectorizer', {}).get('checkpoint')
    if checkpoint is not None:
        return os.path.dirname(checkpoint) or '.'
    asked = cloud_request(loss)
    taps = [asked['tap']] if isinstance(asked['tap'], str) else asked['tap']
    parts = [
        teacher_name,
        '-'.join(re.sub(r'\W+', '-', path).strip('-') for path in taps),
        f'n{asked["num_points"]}',
        'h' + ''.join(map(str, asked['homology_dims'])),
    ]
    if asked['cloud'] != 'BatchCloud':
        parts.append(asked['cloud'])
    if asked['normalization'] != 'none':
        parts.append(asked['normalization'])
    if asked['resolution'] != [20, 20]:
        parts.append('x'.join(map(str, asked['resolution'])))
    return os.path.join(ROOT, '_'.join(parts))


def ripsnet_path(loss: dict, teacher_name: str) -> dict:
    """Fill in where the RipsNet of a loss lies, if the loss has one and does not say so itself.

    Args:
        loss (dict): Config of any loss.
        teacher_name (str): Name of the teacher.

    Returns:
        dict: The config, with ``vectorizer.checkpoint`` set.
    """
    vectorizer = loss.get('vectorizer')
    if not isinstance(vectorizer, dict) or vectorizer.get('type', '').split('.')[-1] != 'RipsNet':
        return loss
    if 'checkpoint' in vectorizer or 'in_channels' in vectorizer or loss.get('distance', 'images') != 'images':
        return loss
    path = os.path.join(artifact_folder(teacher_name, loss), 'ripsnet.pth')
    return dict(loss, vectorizer=dict(vectorizer, checkpoint=path))


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
    except json.JSONDecodeError as error:
        raise ValueError(
            f"'{path}' is damaged ({error}): delete the folder and run tools/gen_pi.py CONFIG again"
        ) from error
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
            f"the artifact in '{folder}' was made for another config ({'; '.join(different)}): delete the "
            'folder, or set vectorizer.checkpoint to a path in another one'
        )
