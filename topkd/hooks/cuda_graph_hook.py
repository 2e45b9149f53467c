"""A hook by which a cohort's steps are captured in a CUDA graph and replayed."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from topkd.graphs import CudaGraphs, GraphBackend, GraphedStep, obstacle
from topkd.graphs.requirements import use_fused_step
from topkd.registry import HOOKS


@HOOKS.register_module()
class CudaGraphHook(Hook):
    """Take a cohort's training steps by one launch: teacher, members, losses and optimizer in one CUDA graph.

    ``custom_hooks=[dict(type='topkd.CudaGraphHook')]`` switches it on. The optimizer takes its fused step. A training
    whose steps cannot be captured, for example on a CPU, runs as without the hook, and one line in the log says why.
    See :class:`topkd.graphs.GraphedStep`.

    Args:
        backend (GraphBackend, optional): What captures; None is torch's CUDA graphs.

    Example:
        >>> CudaGraphHook().backend is None
        True
    """

    priority = 'LOWEST'  # the model is as it will be trained by then

    def __init__(self, backend: GraphBackend | None = None) -> None:
        self.backend = backend

    def before_train(self, runner: Runner) -> None:
        """Put the graphed step in the place of the cohort's."""
        model: Any = runner.model
        device = next(model.parameters()).device
        reason = None
        if is_model_wrapper(model):
            reason = 'several processes train together'
        elif self.backend is None and device.type != 'cuda':
            reason = 'the model is not on a GPU'
        reason = reason or obstacle(model, runner.optim_wrapper)
        if reason is not None:
            print_log(f'steps run eagerly, no graph is captured: {reason}', 'current')
            return
        use_fused_step(runner.optim_wrapper.optimizer)
        model.step = GraphedStep(model, self.backend or CudaGraphs(device))

    def after_train(self, runner: Runner) -> None:
        """Leave the model as it was."""
        vars(runner.model).pop('step', None)
