"""What a study compares: bases, terms, weights, seeds and the rule of the screening, as its config says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from topkd.models.losses.topology_configs import artifacts_to_make
from topkd.utils.config import merge_cfg_options, read_config

KINDS = ('topology', 'control', 'reference')


class Base(NamedTuple):
    """What terms are added to, beside the student's own loss.

    Attributes:
        title (str): As printed.
        loss (dict[str, Any], optional): Config of a loss, None for the student's own alone.
        weights (tuple[float, ...]): Values of its ``loss_weight`` to choose from; none without a loss.
    """

    title: str
    loss: dict[str, Any] | None = None
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Term:
    """A loss that is added to a base.

    Attributes:
        title (str): As printed.
        kind (str): One of ``KINDS``.
        loss (dict[str, Any]): Its config.
        weights (tuple[float, ...]): Values of its ``loss_weight`` to choose from.
        clouds (dict[str, Any]): What its RipsNet's clouds depart in from the pair's ``clouds``.
    """

    title: str
    kind: str
    loss: dict[str, Any]
    weights: tuple[float, ...]
    clouds: dict[str, Any] = field(default_factory=dict)

    @cached_property  # builds the loss, and every digest of a run asks
    def has_ripsnet(self) -> bool:
        """bool: Whether a RipsNet has to be trained for it."""
        return bool(artifacts_to_make(Config(dict(model=dict(losses=dict(term=self.loss)))), 'teacher'))


class Screening(NamedTuple):
    """Which terms go on to the final runs.

    Attributes:
        always (tuple[str, ...]): Names of terms that do in any case.
        topology (int): How many of the others that compare topology do, at most.
        references (int): How many references do, at most.
        margin (float): The least mean difference to the base, in points, of one that does.
        other_bases (int): How many of the topology terms that passed also run on the other bases.
    """

    always: tuple[str, ...]
    topology: int
    references: int
    margin: float
    other_bases: int


class AnswerRule(NamedTuple):
    """When the study's question is answered, see :func:`topkd.reproduction.study.answer.answer_of`.

    Attributes:
        level (float): Below which an adjusted p has to lie.
        negligible (float): A gain in points that an interval must end below to say that there is none.
    """

    level: float
    negligible: float


class Seeds(NamedTuple):
    """Seeds of the stages; no two stages share one on one pair."""

    weights: tuple[int, ...]
    screening: tuple[int, ...]
    final: tuple[int, ...]
    second_pair: tuple[int, ...]
    replication: tuple[int, ...]


class Study:
    """A study as its config says.

    Args:
        path (Path): The config, with an entry ``study``; pairs are named relative to it.
        options (dict, optional): As ``--cfg-options``, for both pairs.

    Raises:
        ValueError: If a kind is unknown, a base or term that is named is not among the study's, or stages of one pair
            share seeds.
    """

    def __init__(self, path: Path, options: dict | None = None) -> None:
        content = read_config(str(path)).study.to_dict()
        self.bases = {name: Base(**base) for name, base in content['bases'].items()}
        self.terms = {name: Term(**term) for name, term in content['terms'].items()}
        self.main_base: str = content['main_base']
        self.seeds = Seeds(**content['seeds'])
        self.screening = Screening(**content['screening'])
        self.answer = AnswerRule(**content['answer'])
        self.clouds: dict[str, Any] = content['clouds']
        self.cohort: int = content['cohort']
        self.judged: tuple[str, ...] = tuple(content['judged'])
        self.replicated: tuple[str, ...] = tuple(content['replicated'])
        self.pair, self.second_pair = (Path(content[key]).stem for key in ('pair', 'second_pair'))
        self.pairs: Mapping[str, Config] = {
            Path(content[key]).stem: merge_cfg_options(read_config(str(path.parent / content[key])), options)
            for key in ('pair', 'second_pair')
        }
        self._check(path)

    @property
    def paper(self) -> str:
        """str: Name of the first term, whose RipsNet is the one that clouds are measured by."""
        return next(iter(self.terms))

    @property
    def control(self) -> str:
        """str: Name of the term that gives more of the teacher without topology, which others are compared with."""
        return next(name for name, term in self.terms.items() if term.kind == 'control')

    def _check(self, path: Path) -> None:
        unknown = {term.kind for term in self.terms.values()} - set(KINDS)
        if unknown:
            raise ValueError(f"'{path}': a term's kind is one of {', '.join(KINDS)}, got {', '.join(sorted(unknown))}")
        named = {*self.screening.always, *self.judged, *self.replicated}
        names = {self.main_base} - set(self.bases) | named - set(self.terms)
        if names:
            raise ValueError(
                f"'{path}' has no base or term {', '.join(sorted(names))}: correct main_base, always, judged or "
                'replicated'
            )
        if all(term.kind != 'control' for term in self.terms.values()):
            raise ValueError(f"'{path}' needs a term of the kind control, which others are compared with")
        if not self.terms[self.paper].has_ripsnet:
            raise ValueError(f"'{path}': the first term must be one with a RipsNet, which clouds are measured by")
        seeds = [*self.seeds.weights, *self.seeds.screening, *self.seeds.final, *self.seeds.replication]
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"'{path}': stages must not share seeds, got {self.seeds}")
