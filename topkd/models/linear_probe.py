"""A linear classifier on the features of a frozen network: how much of what a student learned transfers."""

from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor, nn

from topkd.models.clouds import pool
from topkd.models.taps.tap import reach
from topkd.models.teacher import renormalize
from topkd.registry import MODELS
from topkd.utils.checkpoint import fingerprint
from topkd.utils.config import read_config, with_preprocessor
from topkd.utils.files import check_file
from topkd.utils.student_state import load_student

Network = TypeVar('Network', bound=nn.Module)
OTHER_CHECKPOINT = (
    'train its config first, or name another by --cfg-options model.featurizer.checkpoint=... '
    'model.featurizer.config=...'
)


@MODELS.register_module()
class LinearProbe(BaseModel):
    """Train a linear head on the features of a network that stays as it is.

    The featurizer is the classifier of a config, or the student of a distillation's. It runs in eval mode, without
    gradient and with its own normalization, whatever the probe's images were normalized for. Its weights are buffers
    here: no optimizer sees them, and every checkpoint of the probe is complete, so that testing it needs no other file.

    Args:
        featurizer (dict): ``config``: a config file whose model is a classifier or a :class:`topkd.models.Distiller`;
            ``checkpoint``: one of a distillation, a student or a plain network, read when the training starts; ``tap``:
            the features, 'neck[0]' unless given, maps being averaged over their locations.
        head (dict): Config of a head such as ``LinearClsHead``; its ``in_channels`` is the width of the features.
        data_preprocessor (dict, optional): As for any model.
        probe_shape (Sequence[int]): Shape of the image that shows the width. Defaults to (3, 32, 32).

    Raises:
        FileNotFoundError: If the config or, on :meth:`init_weights`, the checkpoint is missing.
        KeyError: If ``featurizer`` lacks an entry, or has one that is unknown.
        ValueError: If the weights do not fit, or ``head.in_channels`` is not the width.

    Source: Table 10.
    """

    def __init__(
        self,
        featurizer: dict[str, Any],
        head: dict,
        data_preprocessor: dict | nn.Module | None = None,
        probe_shape: Sequence[int] = (3, 32, 32),
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        missing, unknown = {'config', 'checkpoint'} - set(featurizer), set(featurizer) - {'config', 'checkpoint', 'tap'}
        if missing or unknown:
            raise KeyError(
                "model.featurizer has the entries 'config', 'checkpoint' and 'tap', got "
                f'{", ".join(sorted(featurizer)) or "none"}'
            )
        self.source = dict({'tap': 'neck[0]'}, **featurizer)
        model = classifier_config(self.source['config'])
        # a preprocessor that the config does not name is the host toolbox's default; then the probe's applies
        self.self_prepared = model.get('data_preprocessor') is not None
        self.featurizer = as_buffers(MODELS.build(model)).eval()
        width = self._features(torch.zeros(1, *probe_shape)).shape[1]
        if head.get('in_channels', width) != width:
            raise ValueError(
                f"head.in_channels is {head['in_channels']}, the features '{self.source['tap']}' have width {width}: "
                'leave the entry out'
            )
        self.head = MODELS.build(dict(head, in_channels=width))

    def init_weights(self) -> None:
        """Initialize the head and load the featurizer; MMEngine calls this when a training starts."""
        self.head.init_weights()
        checkpoint = self.source['checkpoint']
        if checkpoint is None or '://' not in checkpoint:
            check_file(str(checkpoint), "the featurizer's checkpoint", OTHER_CHECKPOINT)
        load_student(self.featurizer, checkpoint, 'featurizer')
        print_log(
            f"featurizer of '{self.source['config']}': weights '{checkpoint}' ({fingerprint(self.featurizer)})",
            'current',
        )

    def train(self, mode: bool = True) -> 'LinearProbe':
        """Switch the head; the featurizer stays in eval mode."""
        super().train(mode)
        self.featurizer.eval()
        return self

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Run the head on the features.

        Args:
            inputs (Tensor): Preprocessed images (N, 3, H, W).
            data_samples (list, optional): As the head expects them.
            mode (str): 'loss', a dict of losses; 'predict', data samples with predictions; 'tensor', logits (N, K).
        """
        features = (self.features(inputs),)
        if mode == 'loss':
            return self.head.loss(features, data_samples)
        if mode == 'predict':
            return self.head.predict(features, data_samples)
        return self.head(features)

    def features(self, inputs: Tensor) -> Tensor:
        """Return the featurizer's features (N, C) of images (N, 3, H, W) that the probe's preprocessor made."""
        if self.self_prepared:
            inputs = renormalize(inputs, self.data_preprocessor, self.featurizer.data_preprocessor)
        return self._features(inputs)

    @torch.no_grad()
    def _features(self, inputs: Tensor) -> Tensor:
        tap = self.source['tap']
        return pool(reach(self.featurizer, inputs, [tap])[tap])


def classifier_config(path: str) -> dict:
    """Return the model of a config file, of a distillation's its student, together with its preprocessor.

    Args:
        path (str): See :func:`topkd.utils.config.read_config`.
    """
    cfg = read_config(path)
    return with_preprocessor(cfg.model.get('student', cfg.model), cfg)


def as_buffers(network: Network) -> Network:
    """Turn a network's parameters into buffers, in place: in its state as before, but in nobody's list of parameters.

    Parameters that merely require no gradient would still be handed to the optimizer.

    Args:
        network (nn.Module): Any.

    Returns:
        nn.Module: The same.
    """
    for module in network.modules():
        for name, parameter in list(module._parameters.items()):
            del module._parameters[name]
            module.register_buffer(name, None if parameter is None else parameter.detach())
    return network
