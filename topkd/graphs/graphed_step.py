"""Training steps by a captured graph wherever a step is like the one before, and eagerly elsewhere."""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import Tensor

from topkd.graphs.backend import Function, GraphBackend
from topkd.graphs.requirements import settings
from topkd.graphs.static_batch import StaticBatch
from topkd.graphs.static_step import FINITE, GRAD_NORM, StaticStep
from topkd.graphs.watch import watched
from topkd.models.distillers.cohort import Cohort

WARMUP = 3  # static steps before a capture, as torch's notes on CUDA graphs ask for
WORTH = 10  # replays that make up for a capture


class NoGraphError(RuntimeError):
    """A step that no graph can hold; the message is half a sentence.

    Example:
        >>> issubclass(NoGraphError, RuntimeError)
        True
    """


@dataclass
class _Graph:
    """A static step on its way into a graph.

    Attributes:
        step (StaticStep): The step.
        phase (Hashable): What it holds as numbers.
        warm (int): Steps taken on the side.
        replay (Callable, optional): Takes the captured step.
        replays (int): Steps taken by it.
    """

    step: StaticStep
    phase: Hashable
    warm: int = 0
    replay: Function | None = None
    replays: int = 0


class GraphedStep:
    """Stand in a cohort's ``step``: warm up, capture, replay.

    Steps run eagerly if they are unlike the captured one: the first, an uneven last batch, those whose gradients are
    measured for the log, and those of losses that are not alike by their own account
    (:meth:`topkd.models.losses.distillation_loss.DistillationLoss.phase`). If nothing can be captured, one line in the
    log says why, and all steps run eagerly from then on.

    Args:
        cohort (Cohort): The model, whose optimizer takes fused steps.
        backend (GraphBackend): What captures and replays.

    Attributes:
        replays (int): Steps that were replayed.
    """

    def __init__(self, cohort: Cohort, backend: GraphBackend) -> None:
        self.cohort, self.backend, self.eager = cohort, backend, cohort.step
        self.replays = 0
        self._graph: _Graph | None = None
        self._given_up = False
        self._shape: torch.Size | None = None
        self._said: set[str] = set()

    def __call__(self, inputs: Tensor, data_samples: Any, wrapper: OptimWrapper) -> dict[str, Any]:
        """Train all members on a preprocessed batch; see :meth:`topkd.models.Cohort.step`."""
        if self._shape is None:  # the first step prepares the teacher and the optimizer, and shows a whole batch
            self._shape = inputs.shape
            return self.eager(inputs, data_samples, wrapper)
        if self._given_up or self._is_unlike(inputs, data_samples):
            return self.eager(inputs, data_samples, wrapper)
        try:
            graph = self._present_graph(inputs, data_samples, wrapper)
            graph.step.prepare(inputs, data_samples)
            scalars = self._warmed_up(graph) if graph.warm < WARMUP else self._replayed(graph)
        except NoGraphError as error:
            self._give_up(error)
            return self.eager(inputs, data_samples, wrapper)
        wrapper._inner_count += 1
        for member in graph.step.members.values():
            member.count_step()
        return self._logs(graph.step, scalars)

    def _is_unlike(self, inputs: Tensor, data_samples: Any) -> bool:
        """Tell whether this step differs from those that a graph can hold."""
        active = {name: self.cohort.members[name] for name in self.cohort.active}
        for name, member in active.items():
            host = [loss for loss, module in member.losses.items() if module.phase() is None]
            if host:
                self._say(f"steps run eagerly as long as loss '{host[0]}' of member '{name}' needs the host")
                return True
        fits = self._graph is None or self._graph.step.batch.fits(inputs, data_samples)
        if inputs.shape != self._shape or not fits:
            self._say(f'a batch of shape {tuple(inputs.shape)} runs eagerly, unlike those of the graph')
            return True
        return any(member.measures_now() for member in active.values())

    def _present_graph(self, inputs: Tensor, data_samples: Any, wrapper: OptimWrapper) -> _Graph:
        """Return the graph of the present phase, a new one if the phase has changed."""
        phase = self._phase(wrapper)
        if self._graph is not None and self._graph.phase == phase:
            return self._graph
        if self._graph is not None and self._graph.replay is not None and self._graph.replays < WORTH:
            raise NoGraphError('what a step holds as numbers changes after a few steps')
        try:
            step = StaticStep(self.cohort, wrapper, StaticBatch(inputs, data_samples))
        except (TypeError, ValueError) as error:
            raise NoGraphError(str(error)) from error
        self._graph = _Graph(step, phase)
        return self._graph

    def _phase(self, wrapper: OptimWrapper) -> Hashable:
        members = [self.cohort.members[name] for name in self.cohort.active]
        phases = tuple(loss.phase() for member in members for loss in member.losses.values())
        return tuple(self.cohort.active), phases, settings(wrapper.optimizer)

    def _warmed_up(self, graph: _Graph) -> Tensor:
        """Take a step on the side; look in the last one before the capture whether it can be captured."""
        graph.warm += 1
        if graph.warm < WARMUP:
            return self.backend.aside(graph.step)
        before = self.backend.random_state()
        waiting: list[str] = []

        def look() -> Tensor:
            result, found = watched(graph.step)
            waiting.extend(found)
            return result

        scalars = self.backend.aside(look)
        if waiting:
            self._give_up(f'the host waits for the device in {", ".join(waiting)}')
        elif not (before == self.backend.random_state()).all():
            self._give_up('a member draws random numbers, which a graph would not draw alike for every member')
        return scalars

    def _replayed(self, graph: _Graph) -> Tensor:
        if graph.replay is None:
            try:
                graph.replay = self.backend.capture(graph.step)
            except RuntimeError as error:
                raise NoGraphError(str(error).strip().split('\n', 1)[0]) from error
            print_log(f'a step of {len(graph.step.members)} members was captured in a graph', 'current')
        self.replays += 1
        graph.replays += 1
        return graph.replay()

    def _logs(self, step: StaticStep, scalars: Tensor) -> dict[str, float]:
        """Read all scalars by one copy; stop the members whose loss was not finite."""
        logs: dict[str, float] = dict(zip(step.keys, scalars.tolist()))
        broken = [name for name in step.members if not logs.pop(f'{name}/{FINITE}')]
        norm = logs.pop(GRAD_NORM, None)
        if norm is not None and not broken:
            step.wrapper.message_hub.update_scalar(f'train/{step.wrapper.grad_name}', norm)
        for name in broken:
            own = {key: value for key, value in logs.items() if key.startswith(f'{name}/')}
            logs = {key: value for key, value in logs.items() if key not in own}
            terms = [key.split('/', 1)[1] for key, value in own.items() if 'loss' in key and not math.isfinite(value)]
            self._graph = None
            self.cohort.stop(name, FloatingPointError(f'{", ".join(terms)} must be finite, got nan or inf'))
        return logs

    def _give_up(self, reason: object) -> None:
        self._given_up, self._graph = True, None
        for parameter in self.cohort.parameters():
            parameter.grad = None
        print_log(f'steps run eagerly, no graph is captured: {reason}', 'current')

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            print_log(text, 'current')
