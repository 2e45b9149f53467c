"""What finished runs have left behind: their numbers, in the units of the paper."""

from collections.abc import Sequence
from typing import Any

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.models.vectorizers import OPERATORS
from topkd.reproduction.analyses import analysis_figures
from topkd.reproduction.jobs import AnalysisJob, Job, RipsNetTraining
from topkd.reproduction.results_file import read_results
from topkd.utils.files import read_json

# pycocotools' figures are shares, the paper's are percent
PERCENT = ('coco/',)


def read_run(job: Job, network: str, metrics: Sequence[str]) -> dict[str, Any]:
    """Read a finished job's figures of a network.

    Args:
        job (Job): Training, RipsNet or analysis.
        network (str): Name of the variant, for an analysis of several.
        metrics (Sequence[str]): Keys of ``results.json`` that are wanted.

    Returns:
        dict: ``last`` and ``best`` figures by metric, those of the ``teacher``, the ``folder``; of a training also
        ``seed`` and ``epochs``.
    """
    if isinstance(job, RipsNetTraining):
        return _ripsnet_run(job.artifact)
    if isinstance(job, AnalysisJob):
        figures = analysis_figures(job.tool, job.folder)
        own = figures.get(network, {})
        return dict(last=own, best=own, teacher=figures.get('teacher', {}), folder=str(job.folder))
    return _training_run(job, metrics)


def _training_run(job: Job, metrics: Sequence[str]) -> dict[str, Any]:
    results = read_results(job.folder, 'seed')
    values = {
        which: {metric: _scaled(metric, results[which][metric]) for metric in metrics if metric in results[which]}
        for which in ('last', 'best')
    }
    teacher = {metric: _scaled(metric, value) for metric, value in results.get('teacher', {}).items()}
    return dict(values, seed=results['seed'], epochs=results['last']['epoch'], teacher=teacher, folder=str(job.folder))


def _ripsnet_run(artifact: RipsNetArtifact) -> dict[str, Any]:
    paths = {operator: artifact.result(operator) for operator in OPERATORS}
    values = {name: read_json(path, 'mse')['mse'] for name, path in paths.items() if path.is_file()}
    return dict(
        last=values,
        best=values,
        teacher={},
        folder=str(artifact.folder),
        num_clouds=artifact.settings(()).get('clouds.num_clouds'),
    )


def _scaled(metric: str, value: float) -> float:
    return 100 * value if metric.startswith(PERCENT) else value
