"""Are the clouds and RipsNets there that topology losses ask for, and do batches make whole clouds?"""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from mmengine.config import Config

from topkd.artifacts.artifact import AT_WORK, RipsNetArtifact
from topkd.models.losses.topology_configs import batch_size_of, build_unloaded, topology_artifact, topology_configs
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
        loss = findings.look(build_unloaded, config)
        if loss is None:
            continue
        batch = batch_size_of(cfg)
        if isinstance(batch, int) and loss.cloud.incomplete == 'error':
            findings.look(_check_batch, name, loss, batch * (processes if loss.cloud.gather else 1))
        if loss.network is not None and loss.network.needs_artifact:
            findings.look(_check_ripsnet, loss, cfg, batch, findings)


def lacks_clouds(cfg: Config, name: str, findings: Findings) -> bool:
    """Tell whether the clouds of a topology loss are neither there nor made by an earlier job."""
    artifact = findings.look(topology_artifact, cfg, name)
    return artifact is not None and artifact.manifest not in findings.made and not artifact.folder.is_dir()


def check_clouds(cfg: Config, name: str, findings: Findings) -> None:
    """Look for the finished clouds that a RipsNet is trained on, and whether it is one of this config."""

    def check(artifact: RipsNetArtifact) -> None:
        if artifact.manifest in findings.made:
            return
        # another process may be making them just now
        making = working_in(artifact.folder, AT_WORK, wait=True) if artifact.folder.is_dir() else nullcontext()
        with making:
            artifact.read_whole_manifest()

    findings.look(lambda: check(topology_artifact(cfg, name)))


def check_new_clouds(cfg: Config, name: str, findings: Findings) -> None:
    """Look for the room that clouds and images will take; the width of a point is not known yet and counts as 1.

    Args:
        cfg (Config): A distillation's.
        name (str): Of the topology loss.
        findings (Findings): Told what is missing.
    """

    def check(artifact: RipsNetArtifact) -> None:
        num_clouds = (cfg.get('clouds') or {}).get('num_clouds')
        columns, rows = artifact.request['resolution']
        if isinstance(num_clouds, int) and not artifact.manifest.is_file():
            numbers = (artifact.request['num_points'] or 1) + 2 * columns * rows
            check_room(artifact.folder, 4 * numbers * num_clouds)

    findings.look(lambda: check(topology_artifact(cfg, name)))


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
