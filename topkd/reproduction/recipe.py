"""From a pair's name to the configs of its runs, with their teacher and the RipsNets that they need."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.models.losses.topology_configs import artifacts_to_make, topology_configs
from topkd.reproduction.jobs import checkpoint_in
from topkd.reproduction.variants import KD, Variant, apply, for_run
from topkd.utils.config import merge_cfg_options, read_config


@dataclass(frozen=True)
class TeacherFile:
    """A teacher of a pair.

    Attributes:
        name (str): Its artifacts are filed under it.
        checkpoint (str): File of its weights.
        training (Config, optional): Config of the training that makes the file, None if it is at hand.
    """

    name: str
    checkpoint: str
    training: Config | None = None

    @property
    def folder(self) -> Path:
        """Path: Where the file lies: the work directory of the training that makes it."""
        return Path(self.checkpoint).parent


@dataclass(frozen=True)
class Run:
    """A student of a plan.

    Attributes:
        pair (str): Name of the pair.
        variant (Variant): What it changes of the pair.
        seed (int): Of its training.
        group (str): What it is called whatever the seed; pairs share their plain students.
        name (str): Of its training.
        folder (Path): Work directory of its training.
        config (Config): Of its training, complete.
        teacher (TeacherFile): Of the pair.
        artifacts (dict[str, RipsNetArtifact]): RipsNets that it needs, by loss.
    """

    pair: str
    variant: Variant
    seed: int
    group: str
    name: str
    folder: Path
    config: Config
    teacher: TeacherFile
    artifacts: dict[str, RipsNetArtifact]


class Recipe:
    """What all runs of a plan have in common.

    Args:
        configs (Path): Folder of this package's configs.
        work_dir (Path): Folder of all runs.
        epochs (int, optional): Length of all trainings of students and missing teachers. None: the recipes'.
        options (dict, optional): ``--cfg-options`` of all runs; those of a transfer begin with its name, as
            ``stl10.data_root``.
    """

    def __init__(self, configs: Path, work_dir: Path, epochs: int | None = None, options: dict | None = None) -> None:
        self.configs, self.work_dir, self.epochs = configs, work_dir, epochs
        probes = [path.stem for path in (configs / 'transfer').glob('*.py')]
        self.probe_options = {stem: _behind(f'{stem}.', options or {}) for stem in probes}
        self.options = {key: value for key, value in (options or {}).items() if key.split('.')[0] not in probes}
        self._length = '' if epochs is None else f'_{epochs}epochs'

    def folder(self, name: str) -> Path:
        """Return the folder of a training, or of what looks at trained students.

        Args:
            name (str): Below the work directory; trainings of another length than the recipe's have it as a mark.
        """
        return self.work_dir / f'{name}{self._length}'

    def ripsnet_folder(self, name: str) -> Path:
        """Return the folder of the jobs that make an artifact; that of a trained teacher lies there too.

        Args:
            name (str): Of the artifact.
        """
        return self.work_dir / 'ripsnet' / name

    def runs(self, pair: str, variants: Sequence[Variant], seeds: Sequence[int]) -> list[Run]:
        """Make the runs of a pair: every variant with every seed.

        Args:
            pair (str): Its name, or the path of its config.
            variants (Sequence[Variant]): What the runs change.
            seeds (Sequence[int]): Of the runs.

        Raises:
            FileNotFoundError: If the pair is unknown, or the teacher neither at hand nor trained by a baseline.
            ValueError: If the config distils nothing, or its teacher has no name or checkpoint.
        """
        path = pair_path(pair, self.configs)
        cfg = merge_cfg_options(read_config(str(path)), self.options)
        if 'teacher' not in cfg.model:
            raise ValueError(
                f"'{path}' has no teacher, which a pair needs: name a config of '{self.configs / 'topkd'}'"
            )
        teacher = self._teacher(path.stem, cfg.model.teacher)
        if teacher.training is not None:
            cfg.model.teacher.checkpoint = teacher.checkpoint
            if self.epochs is not None:
                cfg.model.teacher.floor = None  # of a teacher that was trained completely
        return [self._run(path, cfg, teacher, variant, seed) for variant in variants for seed in seeds]

    def probe(self, file: str, seed: int) -> Config:
        """Make the config of a linear probe.

        Args:
            file (str): Of ``configs/transfer``, from ``configs`` on.
            seed (int): Of the training.
        """
        cfg = merge_cfg_options(read_config(str(self.configs / file)), self.probe_options.get(Path(file).stem))
        return for_run(cfg, seed, None if self.epochs is None else min(self.epochs, cfg.train_cfg.max_epochs))

    def _run(self, pair: Path, cfg: Config, teacher: TeacherFile, variant: Variant, seed: int) -> Run:
        """Make a run of a pair, whose config has the user's options and its teacher's file."""
        own = apply(variant, cfg, self.configs, seed, self.epochs)
        artifacts = self._bind(own, teacher, variant, pair)
        group = f'plain/{student_name(pair.stem)}' if variant.is_plain else f'{pair.stem}/{variant.name}'
        name = f'{group}/seed{seed}'
        return Run(pair.stem, variant, seed, group, name, self.folder(name), own, teacher, artifacts)

    def _teacher(self, pair: str, teacher: dict) -> TeacherFile:
        """Find a pair's teacher, or the baseline that trains it."""
        name, checkpoint = teacher.get('name'), teacher.get('checkpoint')
        if not name or not checkpoint:
            raise ValueError(
                f'the teacher of {pair} needs a name, under which its artifacts are filed, and a checkpoint, got name '
                f'{name!r} and checkpoint {checkpoint!r}: set them in model.teacher'
            )
        if '://' in checkpoint or Path(checkpoint).is_file():
            return TeacherFile(name, checkpoint)
        baseline = self.configs / 'baselines' / f'{name}.py'
        if not baseline.is_file():
            raise FileNotFoundError(
                f"teacher '{name}' of {pair} is missing: put its checkpoint at '{checkpoint}' or name another by "
                '--cfg-options model.teacher.checkpoint=...'
            )
        general = {key: value for key, value in self.options.items() if not re.match(r'(model|clouds|ripsnet)\b', key)}
        training = for_run(merge_cfg_options(read_config(str(baseline)), general), 0, self.epochs)
        return TeacherFile(name, str(checkpoint_in(self.folder(f'teachers/{name}'), training)), training)

    def _bind(self, cfg: Config, teacher: TeacherFile, variant: Variant, pair: Path) -> dict[str, RipsNetArtifact]:
        """Find the RipsNets that a config needs, and point it, in place, at those of a teacher that is trained here."""
        if variant.is_plain:
            return {}
        if variant == KD:
            _refuse_topology(topology_configs(cfg.model), pair)
        artifacts = artifacts_to_make(cfg, teacher.name + self._length if teacher.training else teacher.name)
        if teacher.training is None:
            return artifacts
        # artifacts lie where their teacher lies, so that they are never mistaken for another teacher's
        moved = {
            name: RipsNetArtifact(teacher.name, made.request, self.ripsnet_folder(made.name) / 'ripsnet.pth')
            for name, made in artifacts.items()
        }
        for name, made in moved.items():
            cfg.model.losses[name].vectorizer.checkpoint = str(made.ripsnet)
        return moved


def pair_path(pair: str, configs: Path) -> Path:
    """Find a pair's config by its name, or by its path.

    Args:
        pair (str): Name of a file of ``configs/topkd`` without its ending, or the path of any distillation config.
        configs (Path): Folder of this package's configs.

    Raises:
        FileNotFoundError: If there is no such config.
    """
    named, given = configs / 'topkd' / f'{pair}.py', Path(pair)
    path = given if given.suffix == '.py' else named
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no pair '{pair}': name a file of '{named.parent}' without its ending, or give the path of "
            'a distillation config'
        )
    return path


def student_name(pair: str) -> str:
    """Return the name under which the plain students of pairs are shared, ``<student>_<dataset>``.

    A pair that is not named ``<teacher>-<student>_<dataset>`` keeps its own name.
    """
    match = re.fullmatch(r'(?P<detector>(faster-rcnn|retinanet|gfl|yolox)_)?[^-]+-(?P<student>[^-_]+_.+)', pair)
    return f'{match["detector"] or ""}{match["student"]}' if match else pair


def _refuse_topology(left: dict[str, dict], pair: Path) -> None:
    if left:
        raise ValueError(
            f"'{pair}' has more topology losses than 'topology' ({', '.join(left)}): the KD control leaves out that "
            'one only, and would be none'
        )


def _behind(prefix: str, options: dict) -> dict:
    return {key[len(prefix) :]: value for key, value in options.items() if key.startswith(prefix)}
