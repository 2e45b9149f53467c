"""A hook that draws the images that topology losses compare, and the history of their terms, during a training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import IterBasedTrainLoop, Runner

from topkd.analysis.images.network_figure import network_figure
from topkd.analysis.images.network_images import NetworkImages, image_figures, network_images
from topkd.analysis.images.vectorizers import vectorizers_of
from topkd.analysis.run_history.term_plot import history_figure
from topkd.analysis.style import as_pixels
from topkd.analysis.trained_students import TrainedStudents
from topkd.hooks.undisturbed import alone, some_images, untouched
from topkd.models.clouds import IncompleteCloudError
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.registry import HOOKS

STUDENT = 'student'
SCALARS = dict(teacher=('mse', 'outside'), student=('mse', 'outside', 'teacher_exact', 'teacher_approximated'))

# what the log has of a topology loss, and what an axis says of it
WORDS = dict(
    loss='weighted term', share='share of the loss', gradient_ratio='gradient ratio', outside='deaths out of range'
)


@HOOKS.register_module()
class TopologyVisualizationHook(Hook):
    """Send pictures of every topology loss to the visualizer, and so to all its backends: files, TensorBoard, W&B.

    ``<loss>_images``: the exact persistence images of teacher and student and, where the loss uses RipsNet, the
    approximated ones, for a cloud of random images of the validation set, always the same. With them go scalars
    ``images/<loss>_<network>_<key>``, see :func:`topkd.analysis.images.network_images.image_figures`.
    ``<loss>_history``: the term, its share of the total and the ratio of its gradient to that of all others, over the
    training so far; as scalars MMEngine's logger sends them anyway.

    The training is not touched: no random number is drawn, no gradient made, every module gets its mode back, and a
    process alone does all of it. The weights shown are those that are trained, not their average under an EMA hook.
    A loss that compares no images has a history only, and so has one with RoICloud, whose boxes pipelines for testing
    do not resize.

    Switch it on in any distillation config:

    .. code-block:: python

        custom_hooks = [*_base_.distillation_hooks, dict(type='topkd.TopologyVisualizationHook', interval=10)]
        visualizer = dict(vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])

    Args:
        interval (int): Epochs between two pictures, or iterations where ``by_epoch`` is False; the last is always
            drawn. Defaults to 10.
        by_epoch (bool): Whether the training counts epochs. Defaults to True.

    Raises (before the training):
        ValueError: If ``by_epoch`` is not what the training loop counts, or the validation set is smaller than a cloud.

    Source: Figures 4, 7 and 8, during the training.
    """

    priority = 'VERY_LOW'  # after the logger has written this step's scalars

    def __init__(self, interval: int = 10, by_epoch: bool = True) -> None:
        if interval < 1:
            raise ValueError(f'interval must be 1 or more, got {interval}')
        self.interval = interval
        self.by_epoch = by_epoch

    def before_train(self, runner: Runner) -> None:
        """Refuse what cannot be drawn, now and not after the first epochs."""
        if self.by_epoch == isinstance(runner.train_loop, IterBasedTrainLoop):
            counts = 'iterations' if self.by_epoch else 'epochs'
            raise ValueError(
                f'TopologyVisualizationHook has by_epoch={self.by_epoch}, but this training counts {counts}: set '
                f'by_epoch={not self.by_epoch} and an interval in {counts}'
            )
        losses = _topology_losses(runner)
        if not losses:
            runner.logger.info('TopologyVisualizationHook draws nothing: the model has no topology loss')
        for name, loss in losses.items():
            why = _why_no_images(runner, loss)
            if why is not None:
                runner.logger.info(f"no pictures of loss '{name}' besides its history: {why}")
            elif len(runner.val_dataloader.dataset) < _images_of_a_cloud(runner, loss):
                raise ValueError(
                    f'TopologyVisualizationHook draws a cloud of {_images_of_a_cloud(runner, loss)} validation images, '
                    f'the validation set has {len(runner.val_dataloader.dataset)}: enlarge it, or remove the hook'
                )

    def after_train_epoch(self, runner: Runner) -> None:
        """Draw every ``interval`` epochs and after the last."""
        if self.by_epoch and (self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner)):
            self.draw(runner, runner.epoch + 1)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Draw every ``interval`` iterations and after the last."""
        if not self.by_epoch and (self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner)):
            self.draw(runner, runner.iter + 1)

    @master_only
    def draw(self, runner: Runner, step: int) -> None:
        """Draw all pictures and hand them to the visualizer.

        Args:
            runner (Runner): Of the training.
            step (int): Epoch or iteration that the backends note beside a picture.
        """
        when = f'{"epoch" if self.by_epoch else "iteration"} {step}'
        for name, loss in _topology_losses(runner).items():
            if _why_no_images(runner, loss) is None:
                self._draw_images(runner, name, loss, step, when)
            history = term_history(runner, name)
            if history:
                runner.visualizer.add_image(
                    f'{name}_history', as_pixels(history_figure(history, f'{name}, {when}')), step
                )

    def _draw_images(self, runner: Runner, name: str, loss: TopologyLoss, step: int, when: str) -> None:
        model = _model(runner)
        exact, approximate = vectorizers_of(loss, require_spec=False)
        if exact is not None and not exact.imager.fitted:
            runner.logger.info(f"no picture of loss '{name}' at {when}: its images were not fitted yet")
            return
        try:
            with untouched(model), alone(loss):
                batch = some_images(runner.val_dataloader, _images_of_a_cloud(runner, loss))
                trained = TrainedStudents(model, {STUDENT: model.student}, loss, {STUDENT: loss.projection})
                images = network_images(trained, [batch], exact, approximate)
        except IncompleteCloudError as error:
            runner.logger.info(f"no picture of loss '{name}' at {when}: {error}")
            return
        figure = network_figure(
            images,
            0,
            None if exact is None else exact.imager.im_range.tolist(),
            next(network.resolution for network in (exact, approximate) if network is not None),
            f'{name}, {when}, validation images',
        )
        runner.visualizer.add_image(f'{name}_images', as_pixels(figure), step)
        runner.visualizer.add_scalars(_scalars(name, images), step=step)


def _scalars(name: str, images: Mapping[str, NetworkImages]) -> dict[str, float]:
    """Return what the pictures of a loss show as numbers, by the key of the log."""
    teacher = next(iter(images.values()))
    return {
        f'images/{name}_{network}_{key}': value
        for network, kinds in images.items()
        for key, value in image_figures(kinds, teacher).items()
        if key in SCALARS[network]
    }


def term_history(runner: Runner, name: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return what was logged of a topology loss so far.

    Args:
        runner (Runner): Of the training.
        name (str): Of the loss.

    Returns:
        dict: By the words for an axis, steps (k, ), counted from 1, and values (k, ). What was never logged is missing.
    """
    scalars = runner.message_hub.log_scalars
    found = {
        words: scalars[f'train/{key}_{name}'].data[0]
        for key, words in WORDS.items()
        if f'train/{key}_{name}' in scalars
    }
    last = max((len(values) for values in found.values()), default=0)
    result = {}
    for words, values in found.items():
        # a resumed training measures in its first step too, so that the places of earlier measurements shift a little
        apart = _model(runner).gradient_interval if len(values) < last else 1
        result[words] = (1 + np.arange(len(values)) * min(apart, (last - 1) / max(len(values) - 1, 1)), values)
    return result


def _model(runner: Runner) -> Any:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _topology_losses(runner: Runner) -> dict[str, TopologyLoss]:
    losses = getattr(_model(runner), 'losses', {})
    return {name: loss for name, loss in losses.items() if isinstance(loss, TopologyLoss)}


def _why_no_images(runner: Runner, loss: TopologyLoss) -> str | None:
    if loss.vectorizer is None:
        return f"its distance '{loss.distance}' compares no images"
    if loss.cloud.reads_annotations:
        return 'validation pipelines do not resize the boxes that are its points'
    return 'there is no validation set' if runner.val_loop is None else None


def _images_of_a_cloud(runner: Runner, loss: TopologyLoss) -> int:
    return loss.cloud.images(runner.cfg.train_dataloader.batch_size)
