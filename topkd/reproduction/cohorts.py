"""Students of a plan that share teacher, data and schedule as one training, whose members are filed as single runs."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from topkd.reproduction.config_differences import write_planned
from topkd.reproduction.jobs import Job, Student, Training, last_checkpoint
from topkd.reproduction.locks import is_held
from topkd.reproduction.plan import Plan
from topkd.reproduction.results_file import NAME as RESULTS
from topkd.reproduction.results_file import read_results, results_if_any
from topkd.utils.checkpoint import load_file, save_file
from topkd.utils.files import write_json
from topkd.utils.student_state import MEMBERS, PREFIX, student_path, student_state


@dataclass(kw_only=True)
class CohortTraining(Training):
    """The training of several students side by side.

    Attributes:
        members (Sequence[Student]): The trainings that it stands for; they are done when their results are filed.
    """

    members: Sequence[Student]

    def is_done(self) -> bool:
        """Tell whether every member's results are filed."""
        return all(member.is_done() for member in self.members)

    def has_run(self) -> bool:
        """Tell whether the last epoch of every member was validated that was not stopped."""
        found, epochs = self._results().get('members', {}), self.config.train_cfg.max_epochs
        lasts = [found.get(member.member_name, {}).get('last', {}).get('epoch') for member in self._trained()]
        return bool(lasts) and all(last == epochs for last in lasts)

    def finish(self) -> None:
        """File every member as the single run that it equals: results, checkpoint and what was planned."""
        results, trained = read_results(self.folder, 'seed', 'monitor'), self._trained()
        checkpoint = load_file(str(last_checkpoint(self)))
        for member in trained:
            _file(member, checkpoint)
        for member in trained:  # last: they say that the runs are done
            own: dict[str, Any] = dict(results['members'][member.member_name])
            own.update(monitor=results['monitor'], seed=results['seed'])
            if member.teacher is not None and 'teacher' in results:
                own['teacher'] = results['teacher']
            write_json(own, member.folder / RESULTS)

    def problem(self) -> str | None:
        """Name the members that were stopped because their loss was not finite."""
        stopped = [member for member in self.members if member not in self._trained()]
        if not stopped:
            return None
        lasts = {
            member.name: self._results()['members'].get(member.member_name, {}).get('last', {}) for member in stopped
        }
        named = ', '.join(f"'{name}' after epoch {last.get('epoch', 0)}" for name, last in lasts.items())
        return (
            f'the loss of {named} was not finite; the other {len(self.members) - len(stopped)} students of '
            f"'{self.folder}' are filed: lower the learning rate or the weight of a loss, or look at the log there"
        )

    def _results(self) -> dict[str, Any]:
        return results_if_any(self.folder)

    def _trained(self) -> list[Student]:
        """List the members that were not stopped."""
        stopped = self._results().get('stopped', [])
        return [member for member in self.members if member.member_name not in stopped]


def together(plan: Plan, work_dir: Path) -> Plan:
    """Return a plan in which missing students that can share a training do.

    They agree in all but their losses: same teacher, data, batches, schedule, optimizer and seed. Plain students join
    those of the first teacher.

    Args:
        plan (Plan): With a training for each student.
        work_dir (Path): Folder of all runs; an interrupted cohort of the same students is found again there.
    """
    chosen = (_cohort_of_missing(students, work_dir) for students in _groups(plan))
    cohorts = [made for made in chosen if made is not None]
    stands_for = {member.name: made.name for made in cohorts for member in made.members}
    calls = [job for name, job in plan.jobs.items() if name not in stands_for]
    jobs = [replace(job, needs=_needs(job, stands_for)) for job in [*calls, *cohorts]]
    members: dict[str, Job] = {member.name: member for made in cohorts for member in made.members}
    return replace(plan, jobs=_in_order(jobs), members=members)


def cohort(students: Sequence[Student], work_dir: Path) -> CohortTraining:
    """Return the training of several students as one cohort.

    Args:
        students (Sequence[Student]): Two or more, one of them with a teacher.
        work_dir (Path): Folder of all runs.
    """
    distilled = next(student for student in students if student.teacher is not None)
    content = distilled.config.to_dict()
    members = {student.member_name: _member(student) for student in students}
    content['model'] = dict(type='topkd.Cohort', teacher=distilled.teacher, members=members)
    texts = (f'{student.name} {json.dumps(student.decisive, sort_keys=True)}' for student in students)
    digest = hashlib.sha256('\n'.join(sorted(texts)).encode()).hexdigest()[:12]
    return CohortTraining(
        f'cohort of {len(students)} from {students[0].name}',
        Config(content),
        work_dir / 'cohorts' / digest,
        tuple(dict.fromkeys(need for student in students for need in student.needs)),
        members=list(students),
    )


def _cohort_of_missing(students: Sequence[Student], work_dir: Path) -> CohortTraining | None:
    """Return the cohort that trains what is missing of a group, None if that is no cohort.

    Students that another process is at are left to it: each stays a job of its own, which waits.
    """
    missing = [student for student in students if not student.is_done()]
    whole = cohort(students, work_dir)
    if missing and whole.has_run():
        return whole  # it was interrupted while its members were filed
    free = [student for student in missing if not is_held(student.folder)]
    if len(free) < len(missing) and _is_cohort(missing) and is_held(cohort(missing, work_dir).folder):
        free = missing  # another process is at this very cohort: it is waited for
    return cohort(free, work_dir) if _is_cohort(free) else None


def _is_cohort(students: Sequence[Student]) -> bool:
    return len(students) > 1 and any(student.teacher is not None for student in students)


def _groups(plan: Plan) -> list[list[Student]]:
    """List the students that can share a training, two or more each."""
    alike: dict[str, list[Student]] = {}
    for job in plan.jobs.values():
        if isinstance(job, Student):
            alike.setdefault(_shared(job), []).append(job)
    groups = []
    for students in alike.values():
        plain = [student for student in students if student.teacher is None]
        by_teacher: dict[str, list[Student]] = {}
        for student in students:
            if student.teacher is not None:
                by_teacher.setdefault(json.dumps(student.teacher, default=str), [*plain]).append(student)
                plain = []
        groups += [[job for job in students if job in group] for group in by_teacher.values() if len(group) > 1]
    return groups


def _shared(job: Student) -> str:
    """Return what the members of a cohort must agree in, as text."""
    cfg = job.config
    shared = {key: value for key, value in job.decisive.items() if key.split('.')[0] not in ('model', 'custom_hooks')}
    # a pair's model has its preprocessor in the student, a plain student's config at the top
    student = cfg.model.get('student', cfg.model)
    shared['preprocessor'] = str(student.get('data_preprocessor') or cfg.get('data_preprocessor'))
    return json.dumps(shared, sort_keys=True)


def _member(student: Student) -> dict[str, Any]:
    """Return the config of a student as a member of a cohort."""
    model = student.config.model.to_dict()
    if student.teacher is None:
        return dict(student=model, losses={})
    own = {key: value for key, value in model.items() if key not in ('type', 'teacher')}
    return dict(own, losses={name: loss for name, loss in model['losses'].items() if loss is not None})


def _file(member: Student, checkpoint: dict[str, Any]) -> None:
    """Write a member's part of a cohort's checkpoint as that of its own run, with what was planned."""
    prefix = f'{MEMBERS}{member.member_name}.'
    weights = {key[len(prefix) :]: value for key, value in checkpoint['state_dict'].items() if key.startswith(prefix)}
    if member.teacher is None:
        weights = {key[len(PREFIX) :]: value for key, value in weights.items() if key.startswith(PREFIX)}
    meta = {key: checkpoint['meta'][key] for key in ('epoch', 'iter', 'dataset_meta') if key in checkpoint['meta']}
    member.folder.mkdir(parents=True, exist_ok=True)
    member.config.dump(str(member.config_path))
    write_planned(member.config, member.folder)
    path = str(last_checkpoint(member))
    save_file(dict(meta=meta, state_dict=weights), path)
    if member.teacher is not None:
        save_file(dict(meta=meta, state_dict=student_state(weights)), student_path(path))


def _needs(job: Job, stands_for: dict[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stands_for.get(need, need) for need in job.needs))


def _in_order(jobs: Sequence[Job]) -> dict[str, Job]:
    """Put every job behind what it needs, and else leave the order."""
    waiting, ordered = {job.name: job for job in jobs}, {}
    while waiting:
        name = next(name for name, job in waiting.items() if all(need in ordered for need in job.needs))
        ordered[name] = waiting.pop(name)
    return ordered
