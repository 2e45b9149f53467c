"""Analyses of trained students as jobs, and the figures that they leave."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topkd.analysis.bottleneck.record import read_distances
from topkd.analysis.embeddings.record import read_scores
from topkd.analysis.images.record import read_images
from topkd.analysis.record_file import Figures
from topkd.reproduction.jobs import Job

# by tool
READERS: dict[str, Callable[[Path], Figures]] = {
    'analysis/images.py': read_images,
    'analysis/bottleneck.py': read_distances,
    'analysis/embeddings.py': read_scores,
}


@dataclass(kw_only=True)
class AnalysisJob(Job):
    """A tool of ``tools/analysis`` that looks at the students of one seed.

    Attributes:
        checkpoints (dict[str, Path]): Of the students, by their names in the table.
        options (Sequence[str]): Further arguments of the tool.
    """

    checkpoints: dict[str, Path]
    options: Sequence[str] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """tuple: Of the call, behind the config."""
        named = [f'{name}={checkpoint}' for name, checkpoint in self.checkpoints.items()]
        return *named, '--out', str(self.folder), *self.options

    def is_done(self) -> bool:
        """Tell whether the figures exist and are newer than all students."""
        return is_newer(self.folder / f'{Path(self.tool).stem}.json', list(self.checkpoints.values()))

    @property
    def pictures(self) -> list[Path]:
        """list[Path]: Folders of what it draws for a reader."""
        return [self.folder]

    def figures(self, network: str, metrics: Sequence[str]) -> dict[str, Any]:
        """Return a network's means over what was looked at, see :meth:`Job.figures`."""
        figures = READERS[self.tool](self.folder)
        own = figures.get(network, {})
        return dict(last=own, best=own, teacher=figures.get('teacher', {}), folder=str(self.folder))


def is_newer(path: Path, sources: Sequence[Path]) -> bool:
    """Tell whether a file exists and was written after all of its sources that exist."""
    return path.is_file() and all(
        not source.is_file() or source.stat().st_mtime <= path.stat().st_mtime for source in sources
    )
