"""What the jobs of a plan need and none of them makes, looked for before the first is started."""

from mmengine.config import Config

from topkd.preflight.findings import Findings
from topkd.preflight.run import look
from topkd.reproduction.jobs import Job
from topkd.reproduction.plan import Plan


def check_plan(plan: Plan) -> None:
    """Refuse a plan of which a job would lack something, and list all of it at once.

    Args:
        plan (Plan): Whose missing jobs are to be run.

    Raises:
        ValueError: If something is missing or wrong; one sentence for each such thing.
    """
    missing_from(plan).refuse()


def missing_from(plan: Plan) -> Findings:
    """Look for all that the missing jobs of a plan need, but for what earlier ones make."""
    jobs = plan.missing()
    findings = Findings(made=[file for job in jobs for file in job.makes])
    looked_at: set[str] = set()
    for job in jobs:
        cfg = _config(job)
        alike = f'{job.task} {job.loss} {cfg._cfg_dict}'
        if job.task is not None and alike not in looked_at:
            looked_at.add(alike)
            findings.cfg = cfg
            look(cfg, job.task, findings, job.loss)
    return findings


def _config(job: Job) -> Config:
    """Return a job's config with its folder; the seed, in which repetitions differ alone, plays no part."""
    content = dict(job.config._cfg_dict, work_dir=str(job.folder.parent))
    content.pop('randomness', None)
    return Config(content)
