"""What makes a training worthless although it runs: no batch, labels without output, weights of something else."""

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from topkd.hooks.cohort_hook import cohort_of
from topkd.registry import HOOKS
from topkd.utils.checkpoint import misfits, not_finite, weights_in
from topkd.utils.student_state import MEMBERS, member_names


@HOOKS.register_module()
class TrainingCheckHook(Hook):
    """Refuse to train on nothing, to start from weights of another network, and to save weights that are not finite.

    A training may start from the same network with another number of classes; it is resumed from its own alone.

    ``tools/train.py`` adds this hook to every training.

    Raises:
        FloatingPointError: If on saving, if a weight is not finite.
        ValueError: If before the training, if a data loader makes no batch or a data set has more classes than the
            network; on loading, if a checkpoint does not fit.
    """

    priority = 'HIGHEST'

    def before_train(self, runner: Runner) -> None:
        """Check the data loaders."""
        check_loader('train_dataloader', runner.train_loop.dataloader)
        check_classes('train_dataloader', runner.train_loop.dataloader.dataset, _network(runner))
        if runner.val_loop is not None:
            check_loader('val_dataloader', runner.val_loop.dataloader)
            check_classes('val_dataloader', runner.val_loop.dataloader.dataset, _network(runner))

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Compare the names and shapes of a checkpoint with the network's; MMEngine loads what fits and goes on."""
        meta = checkpoint.get('meta')
        if runner._resume and not (isinstance(meta, Mapping) and {'epoch', 'iter'} <= meta.keys()):
            raise ValueError(
                f"'{runner._load_from}' holds weights alone, a training is resumed from what it wrote itself: leave "
                'out --resume and give it as load_from'
            )
        expected, weights = _network(runner).state_dict(), weights_in(checkpoint, f"'{runner._load_from}'")
        # what is empty takes its size from the checkpoint, as a memory of all images does
        empty = {key for key, tensor in expected.items() if not tensor.numel()}
        expected = {key: tensor for key, tensor in expected.items() if key not in empty}
        weights = {key.removeprefix('module.'): value for key, value in weights.items()}
        weights = {key: value for key, value in weights.items() if key not in empty}
        if member_names(weights) and set(member_names(weights)) != set(member_names(expected)):
            return  # a cohort refuses other members by itself
        if not runner._resume and other_classes(expected, weights):
            return  # MMEngine warns of them
        problems = misfits(expected, weights)
        if problems:
            raise ValueError(
                f"'{runner._load_from}' does not fit {type(_network(runner)).__name__} ({problems}): name a checkpoint "
                "of this very config; a part of another network is loaded by init_cfg=dict(type='Pretrained', "
                'checkpoint=..., prefix=...) of that part'
            )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Stop a training that has diverged; a member of a cohort that did has been stopped already."""
        cohort = cohort_of(runner)
        stopped = () if cohort is None else tuple(f'{MEMBERS}{name}.' for name in cohort.inactive)
        broken = [name for name in not_finite(checkpoint['state_dict']) if not name.startswith(stopped)]
        if broken:
            raise FloatingPointError(
                f'{len(broken)} weights must be finite, got nan or inf after iteration {runner.iter} (the first is '
                f'{broken[0]}): lower the learning rate, or look at the images and labels; the checkpoint before stays'
            )


def other_classes(expected: Mapping[str, Tensor], weights: Mapping[str, Any]) -> bool:
    """Tell whether weights are those of the same network with another number of classes.

    Args:
        expected (Mapping): State dict of the network.
        weights (Mapping): What it starts from: the same names, and other shapes in heads alone.

    Example:
        >>> from torch import ones
        >>> other_classes({'conv.w': ones(2), 'head.fc.w': ones(5)}, {'conv.w': ones(2), 'head.fc.w': ones(10)})
        True
    """
    if expected.keys() != weights.keys():
        return False
    other = [key for key, tensor in expected.items() if getattr(weights[key], 'shape', None) != tensor.shape]
    return all(any(part.endswith('head') for part in key.split('.')[:-1]) for key in other)


def check_loader(name: str, loader: Any) -> None:
    """Refuse a data loader that makes no batch.

    Args:
        name (str): Its entry in the config.
        loader (DataLoader): The loader.

    Raises:
        ValueError: If its length is 0.
    """
    if len(loader) == 0:
        raise ValueError(
            f'{name} makes no batch of its {len(loader.dataset)} samples, batch_size is {loader.batch_size} and '
            f'drop_last {loader.drop_last}: lower {name}.batch_size, or add data'
        )


def check_classes(name: str, dataset: Any, network: nn.Module) -> None:
    """Refuse a data set with more classes than a classifier has outputs.

    Args:
        name (str): Entry of its data loader in the config.
        dataset (Any): With MMEngine's ``metainfo``; one that does not name its classes passes.
        network (nn.Module): A classifier, or what trains several; other networks pass.

    Raises:
        ValueError: If there are more classes than outputs.
    """
    classes = getattr(dataset, 'metainfo', {}).get('classes') or ()
    for path, module in network.named_modules():
        outputs = getattr(module, 'num_classes', None)
        if path.split('.')[-1] == 'head' and isinstance(outputs, int) and 0 < outputs < len(classes):
            raise ValueError(
                f'the data set of {name} has {len(classes)} classes, but {path} has only {outputs} outputs: set '
                f'num_classes of that head to {len(classes)}, or choose another data set'
            )


def _network(runner: Runner) -> nn.Module:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
