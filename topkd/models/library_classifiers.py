"""Classifiers of other libraries in the MMEngine style: timm, HuggingFace, torchvision, any module by import path."""

from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

from mmpretrain.models.classifiers import HuggingFaceClassifier as MMHuggingFaceClassifier
from mmpretrain.models.classifiers import TimmClassifier as MMTimmClassifier
from mmpretrain.models.classifiers.base import BaseClassifier
from torch import Tensor, nn

from topkd.registry import MODELS

CROSS_ENTROPY = dict(type='CrossEntropyLoss', loss_weight=1.0)


class OwnWeights(BaseClassifier):
    """Keep the weights that a library drew or loaded when it made the model, whoever initializes the network.

    MMEngine calls ``init_weights`` of every module before a training. timm's and HuggingFace's models have a method of
    that name too, which draws all weights anew, pretrained ones included.
    """

    model: nn.Module

    def init_weights(self) -> None:
        """Load what ``init_cfg`` names, if it names a checkpoint; nothing is drawn."""
        vars(self.model)['is_init'] = True  # MMEngine passes over modules that say so
        super().init_weights()


@MODELS.register_module()
class TimmClassifier(OwnWeights, MMTimmClassifier):
    """mmpretrain's ``TimmClassifier``, whose pretrained weights stay.

    Its checkpoints have timm's names: they load in timm's model and in mmpretrain's classifier.

    Args:
        *args (Any): Of ``timm.create_model``.
        **kwargs (Any): Of ``timm.create_model``, such as ``model_name``, ``pretrained``, ``num_classes``; and ``loss``,
            ``train_cfg``, ``data_preprocessor`` and ``init_cfg`` as in mmpretrain.

    Raises:
        ImportError: If timm is not installed: ``pip install topkd[timm]``.
    """


@MODELS.register_module()
class HuggingFaceClassifier(OwnWeights, MMHuggingFaceClassifier):
    """mmpretrain's ``HuggingFaceClassifier``, whose pretrained weights stay.

    Its checkpoints have HuggingFace's names: they load in the model of transformers and in mmpretrain's classifier.

    Args:
        *args (Any): See ``kwargs``.
        **kwargs (Any): ``model_name``, of the hub or a folder; ``pretrained``; what ``from_pretrained`` takes; and
            ``loss``, ``train_cfg``, ``data_preprocessor`` and ``init_cfg`` as in mmpretrain.

    Raises:
        ImportError: If transformers is not installed: ``pip install topkd[huggingface]``.
    """


@MODELS.register_module()
class ModuleClassifier(OwnWeights, MMTimmClassifier):
    """Any module that turns images (N, 3, H, W) into logits (N, K), as a classifier in the MMEngine style.

    Checkpoints have the module's own names: they load in the module without this class.

    Args:
        module (str | Callable | nn.Module): Import path of a class or a function that makes the module, such as
            ``'torchvision.models.resnet18'``; or that class or function; or the module.
        loss (dict): Config of the classification loss. Defaults to cross entropy.
        train_cfg (dict, optional): As in mmpretrain.
        data_preprocessor (dict, optional): As in mmpretrain.
        init_cfg (dict, optional): As in mmpretrain.
        **kwargs (Any): Arguments of the class or function, such as ``num_classes`` or torchvision's ``weights``.

    Raises:
        ValueError: If the path leads nowhere.
        TypeError: If no module is made.

    Example:
        >>> network = ModuleClassifier('torchvision.models.squeezenet1_1', num_classes=10)
        >>> sorted(network.state_dict())[:2]
        ['classifier.1.bias', 'classifier.1.weight']
    """

    def __init__(
        self,
        module: str | Callable[..., nn.Module] | nn.Module,
        loss: dict | nn.Module = CROSS_ENTROPY,
        train_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
        **kwargs: Any,
    ) -> None:
        prepared: Any = data_preprocessor
        if not isinstance(prepared, nn.Module):
            prepared = dict(dict(type='mmpretrain.ClsDataPreprocessor'), **(data_preprocessor or {}))
            if train_cfg is not None and 'augments' in train_cfg:
                prepared['batch_augments'] = train_cfg
        # mmpretrain's constructor would ask for timm
        BaseClassifier.__init__(self, init_cfg=init_cfg, data_preprocessor=prepared)
        self.model = made(module, kwargs)
        self.loss_module = (
            loss if isinstance(loss, nn.Module) else MODELS.build(dict(dict(_scope_='mmpretrain'), **loss))
        )
        self._register_state_dict_hook(self._remove_state_dict_prefix)
        self._register_load_state_dict_pre_hook(self._add_state_dict_prefix)

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Compute logits, losses or predictions.

        Args:
            inputs (Tensor): Preprocessed images (N, 3, H, W).
            data_samples (list, optional): As mmpretrain makes them.
            mode (str): 'tensor', 'loss' or 'predict'.
        """
        return self.logits(inputs) if mode == 'tensor' else super().forward(inputs, data_samples, mode)

    def loss(self, inputs: Tensor, data_samples: list, **kwargs: Any) -> dict[str, Tensor]:
        """Compute the classification loss of images (N, 3, H, W)."""
        return self._get_loss(self.logits(inputs), data_samples, **kwargs)

    def logits(self, inputs: Tensor) -> Tensor:
        """Run the module on images (N, 3, H, W).

        Returns:
            Tensor: (N, K); of outputs with several parts, such as HuggingFace's, the part ``logits``.

        Raises:
            TypeError: If the module returns something else.
        """
        output = self.model(inputs)
        found = getattr(output, 'logits', output)
        if not isinstance(found, Tensor) or found.ndim != 2:
            got = tuple(found.shape) if isinstance(found, Tensor) else f'a {type(found).__name__}'
            raise TypeError(
                f'{type(self.model).__name__} must return logits (N, K), or an output with them as .logits, got {got}: '
                'name a module that classifies'
            )
        return found


def made(module: str | Callable[..., nn.Module] | nn.Module, arguments: dict[str, Any]) -> nn.Module:
    """Make a module of its import path.

    Args:
        module (str | Callable | nn.Module): See :class:`ModuleClassifier`.
        arguments (dict): Of the class or function.

    Raises:
        ValueError: If the path leads nowhere.
        TypeError: If no module is made.

    Example:
        >>> made('torch.nn.Linear', dict(in_features=2, out_features=3))
        Linear(in_features=2, out_features=3, bias=True)
    """
    if isinstance(module, nn.Module):
        return module
    maker: Any = module
    if isinstance(module, str):
        try:
            maker = resolve_name(module)
        except (ImportError, AttributeError, ValueError) as error:
            raise ValueError(
                f"module '{module}' cannot be imported ({error}): write the path of a class or function, such as "
                "'torchvision.models.resnet18'"
            ) from error
    if not callable(maker):
        raise TypeError(f"module '{module}' is a {type(maker).__name__}: name a class or function that makes a module")
    result = maker(**arguments)
    if not isinstance(result, nn.Module):
        raise TypeError(f"module '{module}' makes a {type(result).__name__}, expected an nn.Module: name another")
    return result
