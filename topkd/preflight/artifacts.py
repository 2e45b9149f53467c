"""Are the clouds and RipsNets there that topology losses ask for, and do batches make whole clouds?"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mmengine.config import Config

from topkd.artifacts.artifact import AT_WORK
from topkd.models.losses.topology_configs import artifact_of, topology_configs, topology_loss_of, without_files
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.models.vectorizers.ripsnet_file import check_ripsnet_exists
from topkd.preflight.findings import Findings
from topkd.utils.disk import check_room
from topkd.utils.lock import working_in


def check_ripsnets(cfg: Config, processes: int, findings: Findings) -> None:
    """Look for the RipsNet of every topology loss, and compare its clouds with the batches.

    Args:
        cfg (Config): A distillation's.
        processes (int): Of the training, whose batches a loss may gather.
        findings (Findings): Told what is missing.
    """
    for name, config in (findings.look(topology_configs, cfg.model) or {}).items():
        loss = findings.look(without_files, config)
        if loss is None:
            continue
        batch = (cfg.get('train_dataloader') or {}).get('batch_size')
        if isinstance(batch, int) and loss.cloud.incomplete == 'error':
            findings.look(_check_batch, name, loss, batch * (processes if loss.cloud.gather else 1))
        if loss.network is not None and loss.network.needs_artifact:
            findings.look(_check_ripsnet, loss, cfg, batch, findings)


def lacks_clouds(cfg: Config, name: str, findings: Findings) -> bool:
    """Tell whether the clouds of a topology loss are neither there nor made by an earlier job."""
    artifact = findings.look(artifact_of, cfg, name)
    return artifact is not None and artifact.manifest not in findings.made and not artifact.folder.is_dir()


def check_clouds(cfg: Config, name: str, findings: Findings) -> None:
    """Look for the finished clouds that a RipsNet is trained on, and whether it is one of this config."""

    def check(loss: TopologyLoss, artifact: Any) -> None:
        if artifact.manifest in findings.made:
            return
        # another process may be making them just now
        making = working_in(artifact.folder, AT_WORK, wait=True) if artifact.folder.is_dir() else nullcontext()
        with making:
            artifact.read_whole_manifest()

    _look(cfg, name, findings, check)


def check_new_clouds(cfg: Config, name: str, findings: Findings) -> None:
    """Look for the room that clouds and images will take; the width of a point is not known yet and counts as 1.

    Args:
        cfg (Config): A distillation's.
        name (str): Of the topology loss.
        findings (Findings): Told what is missing.
    """

    def check(loss: TopologyLoss, artifact: Any) -> None:
        num_clouds = (cfg.get('clouds') or {}).get('num_clouds')
        columns, rows = artifact.request['resolution']
        if isinstance(num_clouds, int) and not artifact.manifest.is_file():
            numbers = (artifact.request['num_points'] or 1) + 2 * columns * rows
            check_room(artifact.folder, 4 * numbers * num_clouds)

    _look(cfg, name, findings, check)


def _look(cfg: Config, name: str, findings: Findings, check: Callable[[TopologyLoss, Any], Any]) -> None:
    """Run a check on a loss and its artifact."""

    def run() -> None:
        loss = topology_loss_of(cfg, name)
        teacher, loader = cfg.model.teacher, cfg.get('train_dataloader') or {}
        check(loss, loss.artifact(teacher.get('name', 'teacher'), loader.get('batch_size')))

    findings.look(run)


def _check_batch(name: str, loss: TopologyLoss, batch: int) -> None:
    try:
        loss.cloud.check_batch(batch)
    except ValueError as error:
        raise ValueError(f"loss '{name}': {error}") from error


def _check_ripsnet(loss: TopologyLoss, cfg: Config, batch: int | None, findings: Findings) -> None:
    teacher = cfg.model.get('teacher')
    name = teacher.get('name', 'teacher') if isinstance(teacher, Mapping) else 'teacher'
    path = loss.network.checkpoint if loss.network is not None else None
    file = Path(path or loss.artifact(name, batch).ripsnet)
    if file not in findings.made:
        check_ripsnet_exists(str(file))
