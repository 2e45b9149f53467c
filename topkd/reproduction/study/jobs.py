"""The jobs of a study's stage: cohorts of its missing runs, and the RipsNets that these need."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from mmengine.config import Config

from topkd.models.losses.topology_configs import topology_artifact
from topkd.reproduction.jobs import Training
from topkd.reproduction.plan import Plan
from topkd.reproduction.ripsnet_jobs import Clouds, RipsNetTraining
from topkd.reproduction.study.harvest import harvest, has_tested, has_trained
from topkd.reproduction.study.ledger import Ledger
from topkd.reproduction.study.run import StudyRun, member_config, ripsnet_settings
from topkd.reproduction.study.stages import Stage


@dataclass(kw_only=True)
class StudyCohort(Training):
    """The training of runs of one pair and seed side by side, which are done when the ledger has them.

    Attributes:
        runs (Sequence[StudyRun]): Its members.
        ledger (Ledger): Where they are filed.
    """

    runs: Sequence[StudyRun]
    ledger: Ledger

    def is_done(self) -> bool:
        """Tell whether the ledger has every run."""
        return all(self.ledger.is_done(run) for run in self.runs)

    def has_run(self) -> bool:
        """Tell whether the last epoch was validated and, if it has to be, tested."""
        tested = has_tested(self.folder) or not self.runs[0].tested
        return tested and has_trained(self.folder, self.config.train_cfg.max_epochs)

    def finish(self) -> None:
        """File every run."""
        for run in self.runs:
            self.ledger.write(run, harvest(self.folder, run, self.config.train_cfg.max_epochs))


@dataclass
class StagePlan(Plan):
    """The jobs of a stage.

    Attributes:
        cohorts (list[StudyCohort]): Those of them that train students.
    """

    cohorts: list[StudyCohort] = field(default_factory=list)


class StageJobs:
    """Plan what is missing of a stage.

    Args:
        ledger (Ledger): Of the study.
        work_dir (Path): Folder of RipsNets and cohorts.
    """

    def __init__(self, ledger: Ledger, work_dir: Path) -> None:
        self.ledger, self.study, self.work_dir = ledger, ledger.study, work_dir

    def plan(self, stage: Stage) -> StagePlan:
        """Return the jobs of a stage.

        Args:
            stage (Stage): One whose earlier stages are finished.
        """
        plan = StagePlan()
        for runs in cohorts(stage.runs(self.study, self.ledger), self.study.cohort):
            missing = [run for run in runs if not self.ledger.is_done(run)]
            if missing:
                self._add_cohort(plan, missing, stage.measured)
        if plan.jobs and not stage.measured:
            # a stage that needs no RipsNet leaves the time to make those of the next one
            for name, term in self.study.terms.items():
                if term.has_ripsnet:
                    self._add_ripsnet(plan, self.study.pair, name)
        return plan

    def _add_cohort(self, plan: StagePlan, runs: Sequence[StudyRun], measured: bool) -> None:
        pair, seed = runs[0].pair, runs[0].seed
        terms = {run.term for run in runs if run.term is not None and self.study.terms[run.term].has_ripsnet}
        terms |= {self.study.paper, *self.study.judged} if measured else set()
        needs = tuple(self._add_ripsnet(plan, pair, term) for term in self.study.terms if term in terms)
        cfg = self._cohort_config(runs, measured)
        digest = hashlib.sha256('\n'.join(sorted(run.name for run in runs)).encode()).hexdigest()[:8]
        folder = self.work_dir / pair / f'seed{seed}_{digest}'
        name = f'{pair} seed {seed}: {len(runs)} from {runs[0].member}'
        plan.cohorts.append(StudyCohort(name, cfg, folder, needs, runs=runs, ledger=self.ledger))
        plan.add(plan.cohorts[-1])

    def _cohort_config(self, runs: Sequence[StudyRun], measured: bool) -> Config:
        """Return the config of the cohort of some runs of one pair and seed."""
        pair = runs[0].pair
        content = self.study.pairs[pair].to_dict()
        content['model'] = dict(
            type='topkd.Cohort',
            teacher=content['model']['teacher'],
            members={run.member: member_config(run, self.study, self._ripsnet(pair, run.term)) for run in runs},
        )
        content['randomness'] = dict(content.get('randomness', {}), seed=runs[0].seed)
        if measured:
            others = {name: self._ripsnet(pair, name) for name in self.study.judged}
            record = dict(type='topkd.CloudRecordHook', ripsnet=self._ripsnet(pair, self.study.paper), others=others)
            content['custom_hooks'].append(dict(record, **self.study.clouds))
        if runs[0].tested:
            content['custom_hooks'].append(dict(type='topkd.FinalTestHook'))
        else:  # no run can look at the test images but those that report on them
            content.update(test_dataloader=None, test_evaluator=None, test_cfg=None)
        return Config(content)

    def _ripsnet(self, pair: str, term: str | None) -> str | None:
        """Return the file of a term's RipsNet, None for a term without one."""
        if term is None or not self.study.terms[term].has_ripsnet:
            return None
        return str(self.work_dir / 'ripsnet' / pair / term / 'ripsnet.pth')

    def _add_ripsnet(self, plan: Plan, pair: str, term: str) -> str:
        """Add clouds and RipsNet of a term, and return the second job's name."""
        loss = dict(self.study.terms[term].loss)
        loss['vectorizer'] = dict(loss['vectorizer'], checkpoint=self._ripsnet(pair, term))
        content = self.study.pairs[pair].to_dict()
        content.update(ripsnet_settings(self.study.pairs[pair], self.study, term))
        content['model'] = dict(content['model'], losses=dict(topology=loss))
        cfg = Config(content)
        artifact = topology_artifact(cfg)
        folder = self.work_dir / 'ripsnet' / pair / term
        clouds = Clouds(f'clouds {pair} {term}', cfg, folder / 'gen_pi', artifact=artifact)
        ripsnet = RipsNetTraining(
            f'RipsNet {pair} {term}', cfg, folder / 'train_ripsnet', (plan.add(clouds),), artifact=artifact
        )
        return plan.add(ripsnet)


def cohorts(runs: Iterable[StudyRun], size: int) -> list[list[StudyRun]]:
    """Cut runs into equal parts of one pair and seed each, of a size at most.

    Args:
        runs (Iterable[StudyRun]): In the order of a stage.
        size (int): Runs of a part, at most.
    """
    groups: dict[tuple[str, int], list[StudyRun]] = {}
    for run in runs:
        groups.setdefault((run.pair, run.seed), []).append(run)
    return [
        [group[place] for place in part]
        for group in groups.values()
        for part in np.array_split(range(len(group)), -(-len(group) // size))
    ]
