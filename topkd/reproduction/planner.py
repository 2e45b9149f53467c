"""From a table to its runs, in an order in which each finds what it needs."""

import re
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from topkd.models.losses.topology_configs import topology_configs, topology_loss_of, without_files
from topkd.reproduction.jobs import Job, Plan, Row, check_job, is_newer, last_checkpoint, trained_epochs
from topkd.reproduction.planned import decisive
from topkd.reproduction.tables import KD, PLAIN, TOPKD, Table, Variant
from topkd.reproduction.variants import pair_path, run_config, shorten, student_name
from topkd.utils.config import merge_cfg_options, read_config


class Planner:
    """Plan tables.

    Args:
        configs (Path): Folder of this package's configs.
        work_dir (Path): Folder of all runs; runs that tables share are found again here.
        seeds (Sequence[int]): Seeds of the students.
        epochs (int, optional): Length of all trainings of students and missing teachers. None: the recipes'.
        options (dict, optional): ``--cfg-options`` of all runs; those of a transfer begin with its name, as
            ``stl10.data_root``.
    """

    def __init__(
        self,
        configs: Path,
        work_dir: Path,
        seeds: Sequence[int],
        epochs: int | None = None,
        options: dict | None = None,
    ) -> None:
        self.configs, self.work_dir = configs, work_dir
        self.seeds, self.epochs = list(seeds), epochs
        probes = [path.stem for path in (configs / 'transfer').glob('*.py')]
        self.probe_options = {stem: _behind(f'{stem}.', options or {}) for stem in probes}
        self.options = {key: value for key, value in (options or {}).items() if key.split('.')[0] not in probes}
        self._plan = Plan()

    def plan(self, table: Table, pairs: Sequence[str] | None = None) -> Plan:
        """List the runs of a table.

        Args:
            table (Table): Which variants of which pairs.
            pairs (Sequence[str], optional): Other pairs than the table's: names or paths of configs.

        Raises:
            FileNotFoundError: For an unknown pair, or a teacher that is neither at hand nor can be trained by a
                baseline.
            ValueError: If a folder holds a run of another config.
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
        by_variant: dict[str, list[str]] = {}
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
            jobs = tuple(
                self._add_analysis(path, table.analysis, position, by_variant, teacher_job)
                for position in range(len(self.seeds))
            )
            self._plan.rows += [Row(path.stem, variant, jobs) for variant in table.variants]

    def _add_teacher(self, pair: str, cfg: Config) -> str | None:
        """Add the training of a pair's teacher where its checkpoint is missing, and return that job's name."""
        teacher = cfg.model.teacher
        if not teacher.get('name') or not teacher.get('checkpoint'):
            raise ValueError(
                f'the teacher of {pair} needs a name, under which its artifacts are filed, and a checkpoint, got name '
                f'{teacher.get("name")!r} and checkpoint {teacher.get("checkpoint")!r}: set them in model.teacher'
            )
        self._plan.teachers[pair] = (teacher.name, teacher.checkpoint)
        if '://' in teacher.checkpoint or Path(teacher.checkpoint).is_file():
            return None
        baseline = self.configs / 'baselines' / f'{teacher.name}.py'
        if not baseline.is_file():
            raise FileNotFoundError(
                f"teacher '{teacher.name}' of {pair} is missing: put its checkpoint at '{teacher.checkpoint}' or "
                'name another by --cfg-options model.teacher.checkpoint=...'
            )
        own = read_config(str(baseline))
        if self.epochs is not None:
            shorten(own, self.epochs)
        general = {key: value for key, value in self.options.items() if not re.match(r'(model|clouds|ripsnet)\b', key)}
        merge_cfg_options(own, general)
        own.randomness = dict(own.get('randomness', {}), seed=0)
        job = self._add_training(
            'teacher ' + teacher.name, own, self.work_dir / 'teachers' / (teacher.name + self._length())
        )
        self._plan.teachers[pair] = (teacher.name, str(last_checkpoint(self._plan.jobs[job])))
        return job

    def _configure(self, path: Path, variant: Variant, seed: int, teacher_job: str | None) -> tuple[Config, list[str]]:
        """Make a variant's config with the teacher and RipsNets of this plan, and add the jobs that make these."""
        cfg = run_config(path, variant, self.configs, seed, self.epochs, self.options)
        if 'teacher' not in cfg.model:
            return cfg, []
        losses = [name for name, config in topology_configs(cfg.model).items() if makes_ripsnet(config)]
        if teacher_job is not None:
            self._use_trained_teacher(cfg, losses, teacher_job)
        return cfg, [self._add_ripsnet(cfg, name, teacher_job) for name in losses]

    def _use_trained_teacher(self, cfg: Config, losses: Sequence[str], teacher_job: str) -> None:
        """Point a config at the teacher, and losses of it at the RipsNets, that this plan makes, in place."""
        teacher = cfg.model.teacher
        teacher.checkpoint = str(last_checkpoint(self._plan.jobs[teacher_job]))
        if self.epochs is not None:
            teacher.floor = None  # of a teacher that was trained completely
        for loss in (cfg.model.losses[name] for name in losses):
            # artifacts lie where their teacher lies, so that they are never mistaken for another teacher's
            made = without_files(loss).artifact(teacher.name + self._length())
            loss.vectorizer.checkpoint = str(self.work_dir / 'ripsnet' / made.name / 'ripsnet.pth')

    def _add_student(self, path: Path, variant: Variant, seed: int, teacher_job: str | None) -> str:
        cfg, ripsnets = self._configure(path, variant, seed, teacher_job)
        if variant.config == PLAIN:
            group, needs = f'plain/{student_name(path.stem)}', []
        else:
            group, needs = f'{path.stem}/{variant.name}', [*([teacher_job] if teacher_job else []), *ripsnets]
        if variant == KD:
            _refuse_other_topology(cfg, path)
        folder = self.work_dir / group / f'seed{seed}{self._length()}'
        return self._add_training(f'{group}/seed{seed}', cfg, folder, needs)

    def _add_ripsnet(self, cfg: Config, loss: str, teacher_job: str | None) -> str:
        """Add clouds and RipsNet of a topology loss, and return the second job's name."""
        artifact = topology_loss_of(cfg, loss).artifact(cfg.model.teacher.name)
        name, folder = artifact.name, self.work_dir / 'artifacts' / artifact.name
        chosen = () if loss == 'topology' else ('--loss', loss)
        clouds = self._add(
            Job(
                f'clouds {name}',
                'gen_pi.py',
                cfg,
                folder / 'clouds',
                lambda: artifact.ripsnet.is_file() or artifact.has_clouds(),
                chosen,
                (teacher_job,) if teacher_job else (),
                artifact,
                loss,
            )
        )
        return self._add(
            Job(
                f'RipsNet {name}',
                'train_ripsnet.py',
                cfg,
                folder / 'ripsnet',
                artifact.ripsnet.is_file,
                chosen,
                (clouds,),
                artifact,
                loss,
            )
        )

    def _add_probe(self, probe: str, student: str) -> str:
        job = self._plan.jobs[student]
        cfg = read_config(str(self.configs / probe))
        merge_cfg_options(cfg, self.probe_options.get(Path(probe).stem))
        if self.epochs is not None:
            shorten(cfg, min(self.epochs, cfg.train_cfg.max_epochs))
        cfg.randomness = dict(cfg.get('randomness', {}), seed=job.config.randomness.seed)
        cfg.model.featurizer.config, cfg.model.featurizer.checkpoint = str(job.config_path), str(last_checkpoint(job))
        return self._add_training(f'{student}/{Path(probe).stem}', cfg, job.folder / Path(probe).stem, [student])

    def _add_analysis(
        self,
        path: Path,
        analysis: Sequence[str],
        position: int,
        students: dict[str, list[str]],
        teacher_job: str | None,
    ) -> str:
        """Add the analysis of all variants' students of one seed."""
        seed = self.seeds[position]
        cfg, ripsnets = self._configure(path, TOPKD, seed, teacher_job)
        needs = {name: jobs[position] for name, jobs in students.items()}
        checkpoints = {name: last_checkpoint(self._plan.jobs[job]) for name, job in needs.items()}
        tool, stem = analysis[0], Path(analysis[0]).stem
        folder = self.work_dir / path.stem / stem / f'seed{seed}{self._length()}'
        named = [f'{name}={checkpoint}' for name, checkpoint in checkpoints.items()]
        return self._add(
            Job(
                f'{path.stem}/{stem}/seed{seed}',
                tool,
                cfg,
                folder,
                lambda: is_newer(folder / f'{stem}.json', list(checkpoints.values())),
                (*named, '--out', str(folder), *analysis[1:]),
                (*needs.values(), *ripsnets),
            )
        )

    def _add_training(self, name: str, cfg: Config, folder: Path, needs: Sequence[str] = ()) -> str:
        epochs = cfg.train_cfg.max_epochs
        return self._add(
            Job(
                name,
                'train.py',
                cfg,
                folder,
                lambda: trained_epochs(folder) == epochs,
                ('--work-dir', str(folder), '--resume'),
                tuple(needs),
            )
        )

    def _add(self, job: Job) -> str:
        known = self._plan.jobs.setdefault(job.name, job)
        # runs are shared by their names; the seed of an artifact is its own
        if job.tool == 'train.py' and decisive(known.config) != decisive(job.config):
            raise ValueError(
                f"two different runs of this plan are named '{job.name}': rename the file of one of the pairs"
            )
        if job.artifact is not None and known.config.model.teacher != job.config.model.teacher:
            raise ValueError(
                f"two different teachers of this plan are named '{job.config.model.teacher.name}': rename one of them"
            )
        return job.name

    def _length(self) -> str:
        return '' if self.epochs is None else f'_{self.epochs}epochs'


def makes_ripsnet(config: dict) -> bool:
    """Tell whether a topology loss needs a RipsNet and does not name a file of its own."""
    network = without_files(config).network
    return network is not None and network.needs_artifact and network.checkpoint is None


def _refuse_other_topology(cfg: Config, path: Path) -> None:
    left = topology_configs(cfg.model)
    if left:
        raise ValueError(
            f"'{path}' has more topology losses than 'topology' ({', '.join(left)}): the KD control leaves out that "
            'one '
            'only, and would be none'
        )


def _behind(prefix: str, options: dict) -> dict:
    return {key[len(prefix) :]: value for key, value in options.items() if key.startswith(prefix)}
