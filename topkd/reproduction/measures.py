"""What a table measures of each pair: its students, linear probes or an analysis of them, or its RipsNets."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from topkd.reproduction.job_builder import JobBuilder
from topkd.reproduction.plan import Row
from topkd.reproduction.recipe import Run
from topkd.reproduction.variants import TOPKD, Variant


class Measure:
    """What fills the rows of a table.

    Attributes:
        probes (tuple[str, ...]): Names of the tasks that every variant is measured on, '' for the pair's own.
        asks (tuple[Variant, ...]): Variants that it cannot do without.
    """

    probes: tuple[str, ...] = ('',)
    asks: tuple[Variant, ...] = ()

    def rows(self, jobs: JobBuilder, runs: Sequence[Run]) -> list[Row]:
        """Add the jobs that a pair needs, and return the rows that they fill.

        Args:
            jobs (JobBuilder): Adds them to the plan.
            runs (Sequence[Run]): Of the pair, all seeds of a variant one after the other.
        """
        raise NotImplementedError


class Students(Measure):
    """The students themselves, one of each seed.

    Args:
        *pictures (str): Tools that draw those of the first seed.
    """

    def __init__(self, *pictures: str) -> None:
        self.pictures = pictures
        self.asks = (TOPKD,) if pictures else ()

    def rows(self, jobs: JobBuilder, runs: Sequence[Run]) -> list[Row]:
        """Add the students, a row for each variant, and their pictures."""
        rows = [Row(pair, variant, tuple(map(jobs.student, of))) for (pair, variant), of in _by_variant(runs)]
        for tool in self.pictures:
            jobs.analysis(tool, (), [run for run in runs if run.seed == runs[0].seed])
        return rows


class RipsNets(Measure):
    """The RipsNet that each variant's loss needs; no student is trained."""

    def rows(self, jobs: JobBuilder, runs: Sequence[Run]) -> list[Row]:
        """Add the RipsNets; the first seed's students stand for all."""
        return [Row(pair, variant, jobs.ripsnets(of[0])[:1]) for (pair, variant), of in _by_variant(runs)]


class Probes(Measure):
    """Linear classifiers of other data on every student's features.

    Args:
        *files (str): Of ``configs/transfer``.
    """

    def __init__(self, *files: str) -> None:
        self.files = files
        self.probes = tuple(Path(file).stem for file in files)

    def rows(self, jobs: JobBuilder, runs: Sequence[Run]) -> list[Row]:
        """Add students and probes: a row for each variant and file."""
        return [
            Row(pair, variant, tuple(jobs.probe(run, file) for run in of), probe)
            for (pair, variant), of in _by_variant(runs)
            for file, probe in zip(self.files, self.probes)
        ]


class Analysis(Measure):
    """A tool that looks at all students of a seed at once.

    Args:
        tool (str): File below ``tools``.
        *options (str): Arguments of the tool.
    """

    asks = (TOPKD,)

    def __init__(self, tool: str, *options: str) -> None:
        self.tool, self.options = tool, options

    def rows(self, jobs: JobBuilder, runs: Sequence[Run]) -> list[Row]:
        """Add students and one analysis a seed, which fills all rows."""
        analyses = []
        for seed in dict.fromkeys(run.seed for run in runs):
            analyses.append(jobs.analysis(self.tool, self.options, [run for run in runs if run.seed == seed]))
        return [Row(pair, variant, tuple(analyses)) for (pair, variant), _ in _by_variant(runs)]


def _by_variant(runs: Sequence[Run]) -> list[tuple[tuple[str, Variant], list[Run]]]:
    return [(key, list(of)) for key, of in groupby(runs, lambda run: (run.pair, run.variant))]
