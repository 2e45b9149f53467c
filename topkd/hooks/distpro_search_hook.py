"""The search stage of DistPro: the process learns from images that the student does not train on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from topkd.hooks.undisturbed import fetch
from topkd.models.distillers.distiller import Distiller
from topkd.models.losses.distpro_loss import DistProLoss
from topkd.models.losses.parts.process_search import process_gradient
from topkd.registry import HOOKS
from topkd.utils.files import write_json

KEY = 'distpro_search'


@HOOKS.register_module()
class DistProSearchHook(Hook):
    """Before every step, move the process of a :class:`topkd.models.DistProLoss` with ``search=True`` by Adam.

    Its gradient is that of the student's own loss on a batch of validation images after the step that SGD is about to
    take, see :func:`topkd.models.losses.parts.process_search.process_gradient`. After every epoch the process so far is
    written to ``process.json`` of the work_dir, which a training with ``process=FILE`` reads. The weights of the
    student, its running statistics and the training's random numbers are left as they are. A resumed search goes on
    with the same process and the same state of Adam.

    Args:
        dataloader (str): Entry of the config that describes the loader of the validation images, a part of the training
            set that ``train_dataloader`` leaves out. A batch is drawn for every step. Defaults to 'search_dataloader'.
        lr (float): Of Adam. Defaults to 0.1.
        betas (tuple[float, float]): Of Adam. Defaults to (0.5, 0.999).

    Source: Deng et al., DistPro, ECCV 2022; constants of the authors' code. There the student stays at the step that
    was tried; here it is put back, as in the paper's equation.
    """

    def __init__(
        self, dataloader: str = 'search_dataloader', lr: float = 0.1, betas: tuple[float, float] = (0.5, 0.999)
    ) -> None:
        self.dataloader, self.lr, self.betas = dataloader, lr, (betas[0], betas[1])
        self.history: list[list[float]] = []
        self._resumed: dict[str, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Find the process, and take up a resumed search.

        Raises:
            ValueError: If the model has not exactly one process to search, or the config has no loader for it.
            TypeError: If its optimizer is not SGD.
        """
        self.distiller, self.loss = _searched(runner.model)
        if not isinstance(runner.optim_wrapper.optimizer, torch.optim.SGD):
            raise TypeError(
                'DistProSearchHook looks one step of SGD ahead, the optimizer is '
                f'{type(runner.optim_wrapper.optimizer).__name__}: train with SGD'
            )
        self.optimizer = torch.optim.Adam([self.loss.alphas], lr=self.lr, betas=self.betas)
        if self._resumed:
            self.optimizer.load_state_dict(self._resumed['optimizer'])
            self.history = self._resumed['history']
        if self.dataloader not in runner.cfg:
            raise ValueError(
                'DistProSearchHook needs a loader of images that the student does not train on, '
                f"'{self.dataloader}' is not in the config: add it, as configs/methods/search/ does"
            )
        self.loader = runner.build_dataloader(runner.cfg[self.dataloader], seed=runner.seed)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Move the process."""
        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        # the step that follows draws the same augmentation of the same batch
        with torch.random.fork_rng(devices), _as_it_was(self.distiller), _asking(self.loss.alphas):
            preprocess: Any = self.distiller.data_preprocessor
            reader = self.distiller.reader
            data = preprocess(data_batch, True)
            shared = reader.read(data['inputs'], preprocess, data['data_samples'])
            valid = preprocess(self._drawn(), True)

            def train_loss() -> Tensor:
                return self._total(self.distiller.distill(data['inputs'], data['data_samples'], shared))

            def valid_loss() -> Tensor:
                return self._total(self.distiller.student(valid['inputs'], valid['data_samples'], mode='loss'))

            parameters = [parameter for parameter in self.distiller.parameters() if parameter.requires_grad]
            gradient = process_gradient(
                train_loss, valid_loss, self.loss.alphas, parameters, runner.optim_wrapper.optimizer
            )
        self.loss.alphas.grad = gradient
        self.optimizer.step()
        self.loss.alphas.grad = None

    def after_train_epoch(self, runner: Runner) -> None:
        """Write the process so far."""
        self.history.append(self.loss.alphas.tolist())
        if is_main_process():
            content = dict(pathways=[list(pair) for pair in self.loss.pairs], alphas=self.history)
            write_json(content, Path(runner.work_dir) / 'process.json')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Save what a resumed search needs."""
        checkpoint[KEY] = dict(optimizer=self.optimizer.state_dict(), history=self.history)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep what a resumed search needs until it begins."""
        self._resumed = checkpoint.get(KEY, {})

    def _drawn(self) -> Any:
        """Draw a batch of validation images."""
        positions = torch.randperm(len(self.loader.dataset))[: self.loader.batch_size]
        return fetch(self.loader, positions.tolist())

    def _total(self, losses: dict[str, Any]) -> Tensor:
        return self.distiller.parse_losses(losses)[0]


@contextmanager
def _asking(alphas: Tensor) -> Iterator[None]:
    """Let a buffer ask for gradients inside the block."""
    alphas.requires_grad_(True)
    try:
        yield
    finally:
        alphas.requires_grad_(False)


@contextmanager
def _as_it_was(distiller: Distiller) -> Iterator[None]:
    """Put back the buffers of student and losses at the end of the block, and measure no gradients inside it."""
    modules: list[nn.Module] = [distiller.student, *distiller.losses.values()]
    buffers = [(buffer, buffer.clone()) for module in modules for buffer in module.buffers()]
    interval, step = distiller.gradient_interval, distiller._step
    distiller.gradient_interval = 0
    try:
        yield
    finally:
        distiller.gradient_interval, distiller._step = interval, step
        with torch.no_grad():
            for buffer, value in buffers:
                buffer.copy_(value)


def _searched(model: nn.Module) -> tuple[Distiller, DistProLoss]:
    """Return the one loss with a process to search, and its distiller."""
    found = [
        (distiller, loss)
        for distiller in model.modules()
        if isinstance(distiller, Distiller)
        for loss in distiller.losses.values()
        if isinstance(loss, DistProLoss) and loss.search
    ]
    if len(found) != 1:
        raise ValueError(
            f'DistProSearchHook searches one process, the model has {len(found)} DistProLoss with search=True: set it '
            'in one of its losses'
        )
    return found[0]
