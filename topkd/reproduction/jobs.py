"""The runs behind a table, in an order in which each finds what it needs."""
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from mmengine.config import Config

from topkd.artifacts import artifact_folder, ripsnet_path
from topkd.config import merge_cfg_options, read_config
from topkd.reproduction.planned import artifact_differences, decisive, run_differences
from topkd.reproduction.tables import KD, PLAIN, TOPKD, Table, Variant
from topkd.reproduction.variants import pair_path, run_config, shorten, student_name


@dataclass
class Job:
    """One call of a tool.

    Attributes:
        name: Unique, as printed.
        tool: File below ``tools/``.
        arguments: Of the call, behind the config.
        config: What the tool reads, as ``config.py`` of the folder.
        folder: Holds config, log and, of trainings, results and checkpoints.
        is_done: Tells whether the job's result exists.
        needs: Names of the jobs that must be done before.
        artifact: Of clouds and RipsNets, the folder that they are made in.
    """
    name: str
    tool: str
    config: Config
    folder: Path
    is_done: Callable[[], bool]
    arguments: Tuple[str, ...] = ()
    needs: Tuple[str, ...] = ()
    artifact: Optional[Path] = None

    @property
    def config_path(self) -> Path:
        """Path: The config's file."""
        return self.folder / 'config.py'


class Row(NamedTuple):
    """A line of a table: a variant of a pair, and the jobs that measure it."""
    pair: str
    variant: Variant
    jobs: Tuple[str, ...]
    probe: str = ''


@dataclass
class Plan:
    """The jobs of a table, in order, and the rows that they fill."""
    jobs: Dict[str, Job] = field(default_factory=dict)
    rows: List[Row] = field(default_factory=list)
    teachers: Dict[str, Tuple[str, str]] = field(default_factory=dict)  # by pair: name, checkpoint

    def missing(self) -> List[Job]:
        """Return the jobs whose results do not exist yet."""
        return [job for job in self.jobs.values() if not job.is_done()]


class Planner:
    """Plan tables.

    Args:
        configs (Path): Folder of this package's configs.
        work_dir (Path): Folder of all runs; runs that tables share are found again here.
        seeds (Sequence[int]): Seeds of the students.
        epochs (int, optional): Length of all trainings of students and missing teachers. None: the recipes'.
        options (dict, optional): ``--cfg-options`` of all runs; those of a transfer begin with its name, as ``stl10.data_root``.
    """

    def __init__(self, configs: Path, work_dir: Path, seeds: Sequence[int], epochs: Optional[int] = None,
                 options: Optional[dict] = None) -> None:
        self.configs, self.work_dir = configs, work_dir
        self.seeds, self.epochs = list(seeds), epochs
        probes = [path.stem for path in (configs / 'transfer').glob('*.py')]
        self.probe_options = {stem: _behind(f'{stem}.', options or {}) for stem in probes}
        self.options = {key: value for key, value in (options or {}).items() if key.split('.')[0] not in probes}
        self._plan = Plan()

    def plan(self, table: Table, pairs: Optional[Sequence[str]] = None) -> Plan:
        """List the runs of a table.

        Args:
            table (Table): Which variants of which pairs.
            pairs (Sequence[str], optional): Other pairs than the table's: names or paths of configs.

        Raises:
            FileNotFoundError: For an unknown pair, or a teacher that is neither at hand nor can be trained by a baseline.
            ValueError: Where a folder holds a run of another config.
        """
        self._plan = Plan()
        for pair in pairs or table.pairs:
            path = pair_path(pair, self.configs)
            self._add_pair(path, table)
        for job in self._plan.jobs.values():
            check_job(job)
        return self._plan

    def _add_pair(self, path: Path, table: Table) -> None:
        base = run_config(path, Variant('', ''), self.configs, 0, None, self.options)
        if 'teacher' not in base.model:
            raise ValueError(f"'{path}' distils nothing: name a pair of '{self.configs / 'topkd'}'")
        teacher_job = self._add_teacher(path.stem, base)
        by_variant: Dict[str, List[str]] = {}
        for variant in table.variants:
            if table.ripsnets:
                ripsnets = self._configure(path, variant, 0, teacher_job)[1]
                self._plan.rows.append(Row(path.stem, variant, tuple(ripsnets[:1])))
                continue
            students = [self._add_student(path, variant, seed, teacher_job) for seed in self.seeds]
            if not table.probes and not table.analysis:
                self._plan.rows.append(Row(path.stem, variant, tuple(students)))
            by_variant[variant.name] = students
            for probe in table.probes:
                jobs = tuple(self._add_probe(probe, student) for student in students)
                self._plan.rows.append(Row(path.stem, variant, jobs, Path(probe).stem))

        if table.analysis:
            jobs = tuple(self._add_analysis(path, table.analysis, position, by_variant, teacher_job)
                         for position in range(len(self.seeds)))
            self._plan.rows += [Row(path.stem, variant, jobs) for variant in table.variants]

    def _add_teacher(self, pair: str, cfg: Config) -> Optional[str]:
        """Add the training of a pair's teacher where its checkpoint is missing, and return that job's name."""
        teacher = cfg.model.teacher
        if not teacher.get('name') or not teacher.get('checkpoint'):
            raise ValueError(f"the teacher of {pair} needs a name, under which its artifacts are filed, and a checkpoint, got name "
                             f"{teacher.get('name')!r} and checkpoint {teacher.get('checkpoint')!r}: set them in model.teacher")
        self._plan.teachers[pair] = (teacher.name, teacher.checkpoint)
        if '://' in teacher.checkpoint or Path(teacher.checkpoint).is_file():
            return None
        baseline = self.configs / 'baselines' / f'{teacher.name}.py'
        if not baseline.is_file():
            raise FileNotFoundError(f"teacher '{teacher.name}' of {pair} is missing: put its checkpoint at '{teacher.checkpoint}' or "
                                    'name another by --cfg-options model.teacher.checkpoint=...')
        own = read_config(str(baseline))
        if self.epochs is not None:
            shorten(own, self.epochs)
        general = {key: value for key, value in self.options.items() if not re.match(r'(model|clouds|ripsnet)\b', key)}
        merge_cfg_options(own, general)
        own.randomness = dict(own.get('randomness', {}), seed=0)
        job = self._add_training('teacher ' + teacher.name, own, self.work_dir / 'teachers' / (teacher.name + self._length()))
        self._plan.teachers[pair] = (teacher.name, str(last_checkpoint(self._plan.jobs[job])))
        return job

    def _configure(self, path: Path, variant: Variant, seed: int, teacher_job: Optional[str]) -> Tuple[Config, List[str]]:
        """Make a variant's config, tell it where the teacher and the RipsNets are that this plan makes, and add those."""
        own = run_config(path, variant, self.configs, seed, self.epochs, self.options)
        if 'teacher' not in own.model:
            return own, []
        cfg = Config(own.to_dict())
        if teacher_job is not None:
            self._use_trained_teacher(cfg, teacher_job)
        return cfg, self._add_ripsnets(cfg, own, teacher_job)

    def _use_trained_teacher(self, cfg: Config, teacher_job: str) -> None:
        """Point a config at the teacher and the RipsNets that this plan makes, in place."""
        teacher = cfg.model.teacher
        teacher.checkpoint = str(last_checkpoint(self._plan.jobs[teacher_job]))
        if self.epochs is not None:
            teacher.floor = None  # of a teacher that was trained completely
        for loss in cfg.model.losses.values():
            # artifacts lie where their teacher lies, so that they are never mistaken for another teacher's
            if makes_ripsnet(loss, teacher.name):
                name = os.path.basename(artifact_folder(teacher.name + self._length(), loss))
                loss.vectorizer.checkpoint = str(self.work_dir / 'ripsnet' / name / 'ripsnet.pth')

    def _add_student(self, path: Path, variant: Variant, seed: int, teacher_job: Optional[str]) -> str:
        cfg, ripsnets = self._configure(path, variant, seed, teacher_job)
        if variant.config == PLAIN:
            group, needs = f'plain/{student_name(path.stem)}', []
        else:
            group, needs = f'{path.stem}/{variant.name}', [*([teacher_job] if teacher_job else []), *ripsnets]
        if variant == KD:
            _refuse_other_topology(cfg, path)
        folder = self.work_dir / group / f'seed{seed}{self._length()}'
        return self._add_training(f'{group}/seed{seed}', cfg, folder, needs)

    def _add_ripsnets(self, cfg: Config, own: Config, teacher_job: Optional[str]) -> List[str]:
        """Add clouds and RipsNet of each topology loss that has none of its own, and return the second jobs' names.

        Args:
            cfg (Config): Of the run, see :meth:`_configure`.
            own (Config): The same before it was told where this plan's RipsNets are.
            teacher_job (str, optional): Trains the teacher.
        """
        names = []
        for key, loss in own.model.losses.items():
            if not makes_ripsnet(loss, cfg.model.teacher.name):
                continue
            checkpoint = Path(ripsnet_path(cfg.model.losses[key], cfg.model.teacher.name)['vectorizer']['checkpoint'])
            artifact = checkpoint.parent
            name, folder = artifact.name, self.work_dir / 'artifacts' / artifact.name
            clouds, ripsnet = f'clouds {name}', f'RipsNet {name}'
            chosen = () if key == 'topology' else ('--loss', key)
            config = Config(cfg.to_dict())
            self._add(Job(clouds, 'gen_pi.py', config, folder / 'clouds',
                          lambda made=checkpoint: made.is_file() or clouds_done(made.parent), chosen,
                          (teacher_job, ) if teacher_job else (), artifact))
            self._add(Job(ripsnet, 'train_ripsnet.py', config, folder / 'ripsnet', checkpoint.is_file, chosen, (clouds, ), artifact))
            names.append(ripsnet)
        return names

    def _add_probe(self, probe: str, student: str) -> str:
        job = self._plan.jobs[student]
        cfg = read_config(str(self.configs / probe))
        merge_cfg_options(cfg, self.probe_options.get(Path(probe).stem))
        if self.epochs is not None:
            shorten(cfg, min(self.epochs, cfg.train_cfg.max_epochs))
        cfg.randomness = dict(cfg.get('randomness', {}), seed=job.config.randomness.seed)
        cfg.model.featurizer.config, cfg.model.featurizer.checkpoint = str(job.config_path), str(last_checkpoint(job))
        return self._add_training(f'{student}/{Path(probe).stem}', cfg, job.folder / Path(probe).stem, [student])

    def _add_analysis(self, path: Path, analysis: Sequence[str], position: int, students: Dict[str, List[str]],
                      teacher_job: Optional[str]) -> str:
        """Add the analysis of all variants' students of one seed."""
        seed = self.seeds[position]
        cfg, ripsnets = self._configure(path, TOPKD, seed, teacher_job)
        needs = [jobs[position] for jobs in students.values()]
        named = [f'{name}={last_checkpoint(self._plan.jobs[jobs[position]])}' for name, jobs in students.items()]
        tool, stem = analysis[0], Path(analysis[0]).stem
        folder = self.work_dir / path.stem / stem / f'seed{seed}{self._length()}'
        checkpoints = [last_checkpoint(self._plan.jobs[name]) for name in needs]
        written = folder / f'{stem}.json'
        return self._add(Job(f'{path.stem}/{stem}/seed{seed}', tool, cfg, folder, lambda: is_newer(written, checkpoints),
                             (*named, '--out', str(folder), *analysis[1:]), (*needs, *ripsnets)))

    def _add_training(self, name: str, cfg: Config, folder: Path, needs: Sequence[str] = ()) -> str:
        epochs = cfg.train_cfg.max_epochs
        return self._add(Job(name, 'train.py', cfg, folder, lambda: trained_epochs(folder) == epochs,
                             ('--work-dir', str(folder), '--resume'), tuple(needs)))

    def _add(self, job: Job) -> str:
        known = self._plan.jobs.setdefault(job.name, job)
        # runs are shared by their names; the seed of an artifact is its own
        if job.tool == 'train.py' and decisive(known.config) != decisive(job.config):
            raise ValueError(f"two different runs of this plan are named '{job.name}': rename the file of one of the pairs")
        if job.artifact is not None and known.config.model.teacher != job.config.model.teacher:
            raise ValueError(f"two different teachers of this plan are named '{job.config.model.teacher.name}': rename one of them")
        return job.name

    def _length(self) -> str:
        return '' if self.epochs is None else f'_{self.epochs}epochs'


def makes_ripsnet(loss: Optional[dict], teacher: str) -> bool:
    """Tell whether a loss needs a RipsNet and does not name a file of its own."""
    if loss is None or loss.get('vectorizer', {}).get('checkpoint') is not None:
        return False
    return 'checkpoint' in ripsnet_path(loss, teacher).get('vectorizer', {})


def _refuse_other_topology(cfg: Config, path: Path) -> None:
    left = [name for name, loss in cfg.model.losses.items() if loss is not None and loss.type.split('.')[-1] == 'TopologyLoss']
    if left:
        raise ValueError(f"'{path}' has more topology losses than 'topology' ({', '.join(left)}): the KD control leaves out that one "
                         'only, and would be none')


def _behind(prefix: str, options: dict) -> dict:
    return {key[len(prefix):]: value for key, value in options.items() if key.startswith(prefix)}


def last_checkpoint(job: Job) -> Path:
    """Return the checkpoint that a training job ends with."""
    return job.folder / f'epoch_{job.config.train_cfg.max_epochs}.pth'


def trained_epochs(folder: Path) -> int:
    """Return after how many epochs the last validation of a run was, 0 where there was none."""
    path = folder / 'results.json'
    return json.loads(path.read_text())['last']['epoch'] if path.is_file() else 0


def is_newer(path: Path, sources: Sequence[Path]) -> bool:
    """Tell whether a file exists and was written after all of its sources that exist."""
    return path.is_file() and all(not source.is_file() or source.stat().st_mtime <= path.stat().st_mtime for source in sources)


def clouds_done(folder: Path) -> bool:
    """Tell whether an artifact's clouds and images are complete."""
    path = folder / 'manifest.json'
    return path.is_file() and bool(json.loads(path.read_text()).get('complete'))


def check_job(job: Job) -> None:
    """Refuse to go on with, or to count as done, what was made for another config.

    Raises:
        ValueError: Naming the entries that differ.
    """
    if job.artifact is not None:
        folder, different = job.artifact, artifact_differences(job.config, job.artifact)
    else:
        folder, different = job.folder, run_differences(job.config, job.folder)
    if different:
        more = f' and {len(different) - 3} more' if len(different) > 3 else ''
        raise ValueError(f"'{folder}' was made for another config ({'; '.join(different[:3])}{more}): give another --work-dir, set "
                         'the same options as then, or delete that folder')
