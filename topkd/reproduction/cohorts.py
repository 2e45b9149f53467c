"""Train students of a plan that share teacher, data and schedule as one cohort, and file the results as single runs."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from topkd.reproduction.jobs import Job, Plan, last_checkpoint, trained_epochs
from topkd.reproduction.planned import decisive, write_planned
from topkd.utils.checkpoint import MEMBERS, PREFIX, load_file, save_file
from topkd.utils.files import write_json

TRAIN = 'train.py'


def students_beside(job: Job, plan: Plan) -> list[Job]:
    """Return the missing students that can be trained in one cohort with a student, itself among them.

    They agree in all but their losses and the teacher: same data, batches, schedule, optimizer and seed; and there is
    one teacher for all of them that have one.

    Args:
        job (Job): A missing training.
        plan (Plan): Its plan.

    Returns:
        list[Job]: In the order of the plan; the job alone if it is a teacher or has no partner.
    """
    if job.tool != TRAIN or not _is_student(job, plan):
        return [job]
    wanted = [other for other in plan.missing() if other.tool == TRAIN and _is_student(other, plan)]
    alike = [other for other in wanted if _shared(other.config) == _shared(job.config)]
    teacher = next((_teacher(other) for other in [job, *alike] if _teacher(other) is not None), None)
    if teacher is None:
        return [job]
    return [other for other in alike if _teacher(other) in (None, teacher)]


def cohort_job(jobs: Sequence[Job], work_dir: Path) -> Job:
    """Return the training of several students as one cohort.

    Args:
        jobs (Sequence[Job]): From :func:`students_beside`, two or more.
        work_dir (Path): Folder of all cohorts; one of the same students is found again there after a kill.
    """
    distilled = next(job for job in jobs if _teacher(job) is not None)
    content = distilled.config.to_dict()
    members = {}
    for job in jobs:
        model = job.config.model.to_dict()
        own = {key: value for key, value in model.items() if key not in ('type', 'teacher', 'student', 'losses')}
        if _teacher(job) is None:
            members[_member(job)] = dict(student=model, losses={})
        else:
            losses = {name: loss for name, loss in model['losses'].items() if loss is not None}
            members[_member(job)] = dict(own, student=model['student'], losses=losses)
    content['model'] = dict(type='topkd.Cohort', teacher=distilled.config.model.teacher.to_dict(), members=members)
    names = '\n'.join(sorted(f'{job.name} {json.dumps(decisive(job.config), sort_keys=True)}' for job in jobs))
    folder = work_dir / 'cohorts' / hashlib.sha256(names.encode()).hexdigest()[:12]
    needs = tuple(dict.fromkeys(need for job in jobs for need in job.needs))
    return Job(
        f'cohort of {", ".join(job.name for job in jobs)}',
        TRAIN,
        Config(content),
        folder,
        lambda: _is_trained(folder, jobs),
        ('--work-dir', str(folder), '--resume'),
        needs,
    )


def deal_out(cohort: Job, jobs: Sequence[Job]) -> None:
    """File every member of a finished cohort as the single run that it equals: results, checkpoint and plan.

    Args:
        cohort (Job): From :func:`cohort_job`.
        jobs (Sequence[Job]): Its students.
    """
    results = json.loads((cohort.folder / 'results.json').read_text())
    checkpoint = load_file(str(last_checkpoint(cohort)))
    meta = {key: checkpoint['meta'][key] for key in ('epoch', 'iter', 'dataset_meta') if key in checkpoint['meta']}
    for job in jobs:
        prefix = f'{MEMBERS}{_member(job)}.'
        weights = {
            key[len(prefix) :]: value for key, value in checkpoint['state_dict'].items() if key.startswith(prefix)
        }
        own: dict[str, Any] = dict(results['members'][_member(job)], monitor=results['monitor'], seed=results['seed'])
        if _teacher(job) is None:
            weights = {key[len(PREFIX) :]: value for key, value in weights.items() if key.startswith(PREFIX)}
        elif 'teacher' in results:
            own['teacher'] = results['teacher']
        job.folder.mkdir(parents=True, exist_ok=True)
        job.config.dump(str(job.config_path))
        write_planned(job.config, job.folder)
        save_file(dict(meta=meta, state_dict=weights), str(last_checkpoint(job)))
        write_json(own, job.folder / 'results.json')  # last: it says that the run is done


def _is_trained(folder: Path, jobs: Sequence[Job]) -> bool:
    path = folder / 'results.json'
    if not path.is_file():
        return False
    members = json.loads(path.read_text()).get('members', {})
    epochs = jobs[0].config.train_cfg.max_epochs
    return all(members.get(_member(job), {}).get('last', {}).get('epoch') == epochs for job in jobs)


def _is_student(job: Job, plan: Plan) -> bool:
    """Tell students, which no other training of the plan needs, from teachers and linear probes."""
    return (
        'featurizer' not in job.config.model and not job.name.startswith('teacher ') and not trained_epochs(job.folder)
    )


def _teacher(job: Job) -> dict | None:
    return job.config.model.teacher.to_dict() if 'teacher' in job.config.model else None


def _shared(cfg: Config) -> dict[str, Any]:
    """Return what the members of a cohort must agree in."""
    values = decisive(cfg)
    shared = {key: value for key, value in values.items() if key.split('.')[0] not in ('model', 'custom_hooks')}
    # a pair's model has its preprocessor in the student, a plain student's config at the top
    student = cfg.model.get('student', cfg.model)
    shared['preprocessor'] = str(student.get('data_preprocessor') or cfg.get('data_preprocessor'))
    return shared


def _member(job: Job) -> str:
    """Name a member after its run; names must be good for files."""
    parts = job.name.split('/')
    return '-'.join(parts[:-1]).replace('.', '_').replace(' ', '_') or parts[0]
