"""One training of a study: its name, its member of a cohort, and the digest of all that decides its result."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from topkd.reproduction.config_differences import decisive
from topkd.reproduction.study.protocol import Study

# what a pair's config decides of a result beside its networks, whatever else stands in it
DECISIVE = ('data_preprocessor', 'train_dataloader', 'val_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler')
TERM = 'term'  # the name of a term among its member's losses, and in the log


@dataclass(frozen=True)
class StudyRun:
    """A student of a pair with a base, perhaps a term, and a seed.

    Attributes:
        pair (str): Name of the pair.
        base (str): Name of the base.
        seed (int): Of the training.
        base_weight (float, optional): None for a base without a loss.
        term (str, optional): Name of the term, None for the base alone.
        weight (float, optional): Of the term.
        tested (bool): Whether it looks at the test images, after its last epoch.
    """

    pair: str
    base: str
    seed: int
    base_weight: float | None = None
    term: str | None = None
    weight: float | None = None
    tested: bool = False

    @property
    def member(self) -> str:
        """str: Its name in a cohort, which names files: all but pair and seed."""
        parts = [_labelled(self.base, self.base_weight)]
        if self.term is not None:
            parts.append(_labelled(self.term, self.weight))
        return '+'.join(parts)

    @property
    def name(self) -> str:
        """str: Unique within a pair."""
        return f'{self.member}_seed{self.seed}'

    def plain(self) -> dict[str, Any]:
        """Return what identifies it, as plain values."""
        return {key: value for key, value in vars(self).items() if key != 'tested'}


def member_config(run: StudyRun, study: Study, ripsnet: str | None = None) -> dict[str, Any]:
    """Return a run's member of a cohort.

    Args:
        run (StudyRun): The run.
        study (Study): Knows its losses.
        ripsnet (str, optional): File of the term's RipsNet, where it has one.
    """
    cfg, losses = study.pairs[run.pair], {}
    base = study.bases[run.base]
    if base.loss is not None:
        losses['kd'] = dict(base.loss, loss_weight=run.base_weight)
    if run.term is not None:
        term = study.terms[run.term]
        losses[TERM] = dict(term.loss, loss_weight=run.weight)
        if term.has_ripsnet and ripsnet is not None:
            losses[TERM]['vectorizer'] = dict(term.loss['vectorizer'], checkpoint=ripsnet)
    return dict(student=cfg.model.student.to_dict(), losses=losses, gradient_interval=cfg.default_hooks.logger.interval)


def digest(run: StudyRun, study: Study) -> str:
    """Digest all that decides a run's result, but for the files of the teacher and the images.

    Args:
        run (StudyRun): The run.
        study (Study): Knows its config.
    """
    cfg = study.pairs[run.pair]
    shared = {
        path: value
        for path, value in decisive(cfg).items()
        if path.split('.')[0] in DECISIVE and not path.endswith('.data_root')
    }
    teacher = {key: value for key, value in cfg.model.teacher.to_dict().items() if key not in ('checkpoint', 'floor')}
    content = dict(run=run.plain(), member=member_config(run, study), teacher=teacher, shared=shared)
    if run.term is not None and study.terms[run.term].has_ripsnet:
        content['ripsnet'] = ripsnet_settings(cfg, study, run.term)
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]


def ripsnet_settings(cfg: Config, study: Study, term: str) -> dict[str, Any]:
    """Return the settings of a term's RipsNet: of its clouds and of its training."""
    return dict(clouds={**cfg.get('clouds', {}), **study.terms[term].clouds}, ripsnet=dict(cfg.get('ripsnet', {})))


def _labelled(name: str, weight: float | None) -> str:
    return name if weight is None else f'{name}-{weight:.3g}'.replace('.', 'p')
