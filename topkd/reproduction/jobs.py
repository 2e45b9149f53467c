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
from topkd.reproduction.tables import PLAIN, TOPKD, Table, Variant
from topkd.reproduction.variants import pair_path, plain_values, run_config, shorten, student_name

# MMEngine writes the config that it ran over the one it was given
SET_BY_TOOL = {'launcher', 'resume', 'work_dir', 'load_from'}


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
    """
    name: str
    tool: str
    config: Config
    folder: Path
    is_done: Callable[[], bool]
    arguments: Tuple[str, ...] = ()
    needs: Tuple[str, ...] = ()

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
            if job.tool == 'train.py':  # artifacts check their requests themselves, which fewer entries decide
                check_config(job)
        return self._plan

    def _add_pair(self, path: Path, table: Table) -> None:
        base = run_config(path, Variant('', ''), self.configs, 0, None, self.options)
        if 'teacher' not in base.model:
            raise ValueError(f"'{path}' distils nothing: name a pair of '{self.configs / 'topkd'}'")
        teacher_job = self._add_teacher(path.stem, base)
        by_variant: Dict[str, List[str]] = {}
        for variant in table.variants:
            if table.ripsnets:
                cfg = self._configure(path, variant, 0, teacher_job)
                self._plan.rows.append(Row(path.stem, variant, (self._add_ripsnet(cfg, teacher_job), )))
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

    def _configure(self, path: Path, variant: Variant, seed: int, teacher_job: Optional[str]) -> Config:
        """Make a variant's config and tell it where the teacher and the RipsNet are that this plan makes."""
        cfg = run_config(path, variant, self.configs, seed, self.epochs, self.options)
        if 'teacher' not in cfg.model or teacher_job is None:
            return cfg
        teacher = cfg.model.teacher
        teacher.checkpoint = str(last_checkpoint(self._plan.jobs[teacher_job]))
        if self.epochs is not None:
            teacher.floor = None  # of a teacher that was trained completely
        for loss in cfg.model.losses.values():
            # artifacts lie where their teacher lies, so that they are never mistaken for another teacher's
            if loss is not None and 'checkpoint' in ripsnet_path(loss, teacher.name).get('vectorizer', {}):
                name = os.path.basename(artifact_folder(teacher.name + self._length(), loss))
                loss.vectorizer.checkpoint = str(self.work_dir / 'ripsnet' / name / 'ripsnet.pth')
        return cfg

    def _add_student(self, path: Path, variant: Variant, seed: int, teacher_job: Optional[str]) -> str:
        cfg = self._configure(path, variant, seed, teacher_job)
        needs = []
        if variant.config == PLAIN:
            group = f'plain/{student_name(path.stem)}'
        else:
            group = f'{path.stem}/{variant.name}'
            needs += [teacher_job] if teacher_job else []
            ripsnet = self._add_ripsnet(cfg, teacher_job)
            needs += [ripsnet] if ripsnet else []
        folder = self.work_dir / group / f'seed{seed}{self._length()}'
        return self._add_training(f'{group}/seed{seed}', cfg, folder, needs)

    def _add_ripsnet(self, cfg: Config, teacher_job: Optional[str]) -> Optional[str]:
        """Add the clouds and the RipsNet of a config's topology loss, and return the second job's name."""
        loss = ripsnet_path(cfg.model.losses.get('topology') or {}, cfg.model.teacher.name)
        if loss.get('distance', 'images') != 'images' or 'checkpoint' not in loss.get('vectorizer', {}):
            return None
        artifact = Path(os.path.dirname(loss['vectorizer']['checkpoint']))
        made = artifact / 'ripsnet.pth'
        name, folder = artifact.name, self.work_dir / 'artifacts' / artifact.name
        clouds, ripsnet = f'clouds {name}', f'RipsNet {name}'
        if ripsnet not in self._plan.jobs:
            cfg = Config(cfg.to_dict())
            self._add(Job(clouds, 'gen_pi.py', cfg, folder / 'clouds', lambda: made.is_file() or clouds_done(artifact),
                          needs=(teacher_job, ) if teacher_job else ()))
            self._add(Job(ripsnet, 'train_ripsnet.py', cfg, folder / 'ripsnet', made.is_file, needs=(clouds, )))
        return ripsnet

    def _add_probe(self, probe: str, student: str) -> str:
        job = self._plan.jobs[student]
        cfg = read_config(str(self.configs / probe))
        merge_cfg_options(cfg, self.probe_options.get(Path(probe).stem))
        if self.epochs is not None:
            shorten(cfg, min(self.epochs, cfg.train_cfg.max_epochs))
        cfg.model.featurizer.config, cfg.model.featurizer.checkpoint = str(job.config_path), str(last_checkpoint(job))
        return self._add_training(f'{student}/{Path(probe).stem}', cfg, job.folder / Path(probe).stem, [student])

    def _add_analysis(self, path: Path, analysis: Sequence[str], position: int, students: Dict[str, List[str]],
                      teacher_job: Optional[str]) -> str:
        """Add the analysis of all variants' students of one seed."""
        seed = self.seeds[position]
        cfg = self._configure(path, TOPKD, seed, teacher_job)
        ripsnet = self._add_ripsnet(cfg, teacher_job)
        needs = [jobs[position] for jobs in students.values()]
        named = [f'{name}={last_checkpoint(self._plan.jobs[jobs[position]])}' for name, jobs in students.items()]
        tool, stem = analysis[0], Path(analysis[0]).stem
        folder = self.work_dir / path.stem / stem / f'seed{seed}{self._length()}'
        return self._add(Job(f'{path.stem}/{stem}/seed{seed}', tool, cfg, folder, (folder / f'{stem}.json').is_file,
                             (*named, '--out', str(folder), *analysis[1:]), (*needs, *([ripsnet] if ripsnet else []))))

    def _add_training(self, name: str, cfg: Config, folder: Path, needs: Sequence[str] = ()) -> str:
        epochs = cfg.train_cfg.max_epochs
        return self._add(Job(name, 'train.py', cfg, folder, lambda: trained_epochs(folder) == epochs,
                             ('--work-dir', str(folder), '--resume'), tuple(needs)))

    def _add(self, job: Job) -> str:
        self._plan.jobs.setdefault(job.name, job)
        return job.name

    def _length(self) -> str:
        return '' if self.epochs is None else f'_{self.epochs}epochs'


def _behind(prefix: str, options: dict) -> dict:
    return {key[len(prefix):]: value for key, value in options.items() if key.startswith(prefix)}


def last_checkpoint(job: Job) -> Path:
    """Return the checkpoint that a training job ends with."""
    return job.folder / f'epoch_{job.config.train_cfg.max_epochs}.pth'


def trained_epochs(folder: Path) -> int:
    """Return after how many epochs the last validation of a run was, 0 where there was none."""
    path = folder / 'results.json'
    return json.loads(path.read_text())['last']['epoch'] if path.is_file() else 0


def clouds_done(folder: Path) -> bool:
    """Tell whether an artifact's clouds and images are complete."""
    path = folder / 'manifest.json'
    return path.is_file() and bool(json.loads(path.read_text()).get('complete'))


def check_config(job: Job) -> None:
    """Refuse to go on with a run that was begun with another config.

    Raises:
        ValueError: Naming the entries that differ.
    """
    if not job.config_path.is_file():
        return
    found, wanted = plain_values(Config.fromfile(job.config_path)), plain_values(job.config)
    different = sorted(key for key in {*found, *wanted} - SET_BY_TOOL if found.get(key) != wanted.get(key))
    if different:
        raise ValueError(f"'{job.folder}' holds a run of another config (it differs in {', '.join(different)}): give another "
                         '--work-dir, or delete that folder')
