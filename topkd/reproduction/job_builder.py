"""Make the jobs that a table measures: teachers, clouds, RipsNets, students, probes and analyses of its pairs."""

from collections.abc import Sequence
from pathlib import Path

from topkd.reproduction.analysis_job import AnalysisJob
from topkd.reproduction.jobs import Student, Training, last_checkpoint
from topkd.reproduction.plan import Plan
from topkd.reproduction.recipe import Recipe, Run
from topkd.reproduction.ripsnet_jobs import Clouds, RipsNetTraining
from topkd.reproduction.variants import TOPKD


class JobBuilder:
    """Adds the jobs that runs need to a plan.

    Args:
        plan (Plan): Gets the jobs; those that it has are found again.
        recipe (Recipe): Of all runs.
    """

    def __init__(self, plan: Plan, recipe: Recipe) -> None:
        self.plan, self.recipe = plan, recipe

    def teacher(self, run: Run) -> tuple[str, ...]:
        """Note a run's teacher, add its training if it is missing, and return that job's name."""
        teacher = run.teacher
        self.plan.teachers[run.pair] = (teacher.name, teacher.checkpoint)
        if teacher.training is None:
            return ()
        return (self.plan.add(Training(f'teacher {teacher.name}', teacher.training, teacher.folder)),)

    def student(self, run: Run) -> str:
        """Add the training of a run's student after what it needs, and return its name."""
        member = run.group.translate(str.maketrans('/. ', '-__'))  # good for files and keys of weights
        return self.plan.add(Student(run.name, run.config, run.folder, self.needs(run), member_name=member))

    def needs(self, run: Run) -> tuple[str, ...]:
        """Add what a run's student needs, and return the names of these jobs: the teacher, then RipsNets.

        A plain student needs none; its pair's teacher is noted and made all the same.
        """
        teacher = self.teacher(run)
        return () if run.variant.is_plain else (*teacher, *self.ripsnets(run))

    def ripsnets(self, run: Run) -> tuple[str, ...]:
        """Add clouds and RipsNet for each loss that needs one, and return the names of the second."""
        names = []
        for loss, artifact in run.artifacts.items():
            folder = self.recipe.ripsnet_folder(artifact.name)
            made = dict(config=run.config, loss=loss, artifact=artifact)
            clouds = Clouds(f'clouds {artifact.name}', folder=folder / 'gen_pi', needs=self.teacher(run), **made)
            needs = (self.plan.add(clouds),)
            ripsnet = RipsNetTraining(f'RipsNet {artifact.name}', folder=folder / 'train_ripsnet', needs=needs, **made)
            names.append(self.plan.add(ripsnet))
        return tuple(names)

    def probe(self, run: Run, file: str) -> str:
        """Add a linear probe on the features of a run's student, and return its name.

        Args:
            run (Run): Of the student.
            file (str): Of ``configs/transfer``, from ``configs`` on.
        """
        student, stem = self.plan.jobs[self.student(run)], Path(file).stem
        cfg = self.recipe.probe(file, run.seed)
        cfg.model.featurizer.config = str(student.config_path)
        cfg.model.featurizer.checkpoint = str(last_checkpoint(student))
        return self.plan.add(Training(f'{student.name}/{stem}', cfg, student.folder / stem, (student.name,)))

    def analysis(self, tool: str, options: Sequence[str], runs: Sequence[Run]) -> str:
        """Add an analysis of the students of one seed, and return its name.

        The config of TopKD's tells the data, the teacher and the topology that is looked at.

        Args:
            tool (str): File below ``tools``.
            options (Sequence[str]): Arguments of the tool.
            runs (Sequence[Run]): Of the students, TopKD's among them.
        """
        basis = next(run for run in runs if run.variant == TOPKD)
        students = {run.variant.name: self.student(run) for run in runs}
        name = f'{basis.pair}/{Path(tool).stem}/seed{basis.seed}'
        return self.plan.add(
            AnalysisJob(
                name,
                basis.config,
                self.recipe.folder(name),
                (*students.values(), *self.ripsnets(basis)),
                tool=tool,
                options=options,
                checkpoints={name: last_checkpoint(self.plan.jobs[job]) for name, job in students.items()},
            )
        )
