"""The frozen network that a student learns from, fed from the student's own batches."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.nn import functional as F

from topkd.models.frozen import Frozen
from topkd.models.probe_image import blank_image
from topkd.models.taps.tap import Taps, reach
from topkd.models.taps.tap_names import TapNames
from topkd.models.teacher.fast_forward import FastForward, ForwardOptions
from topkd.models.teacher.output_cache import OutputCache
from topkd.registry import MODELS
from topkd.utils.checkpoint import fingerprint, load_weights
from topkd.utils.config import read_config, with_preprocessor

OWN = ''  # a checkpoint that was left out


class Teacher(Frozen):
    """Adapt the student's images to a pretrained network, run it, and return its features at taps.

    A training runs a faster copy of the network, ``gen_pi.py`` the network as it was loaded. The network is in eval
    mode; nobody trains or saves it.

    Args:
        checkpoint (str, optional): Weights, loaded completely or not at all. None leaves the random initialization,
            with a warning. Left out: the network's own, of a model with ``pretrained=True`` or torchvision's
            ``weights``.
        model (dict, optional): The network's config.
        config (str, optional): Instead of ``model``: a config file, such as
            ``'mmpretrain::resnet/resnet50_8xb32_in1k.py'``, whose ``model`` and ``data_preprocessor`` are taken.
        cfg_options (dict, optional): Entries of ``config`` to replace, as ``--cfg-options`` does, for example
            ``{'model.backbone.init_cfg': None}``.
        name (str): Names the teacher's artifacts. Defaults to 'teacher'.
        input_size (Sequence[int], optional): Height and width that the teacher's images are resized to. None: the
            student's images.
        floor (dict, optional): Metrics that the teacher must reach on the validation set before the training starts,
            for example ``{'accuracy/top1': 70.0}``. Read by :class:`topkd.hooks.TeacherEvaluationHook`.
        fold (bool): Whether a training folds batch normalizations into convolutions. Defaults to True.
        memory_format (str): 'contiguous', 'channels_last', or 'auto', what is faster: measured once on a machine for
            this network, and remembered. Defaults to 'auto'.
        compile (bool | str): Whether a training runs it through torch.compile; a word names its backend. Defaults to
            False.
        cache_outputs (bool): Whether features of every image are kept in memory, for data without augmentation.
            Defaults to False.

    Raises:
        ValueError: If not exactly one of ``model`` and ``config`` is given, the checkpoint does not fit or is left out
            of a network without own weights, or there is no such memory format.
    """

    def __init__(
        self,
        checkpoint: str | None = OWN,
        model: dict | None = None,
        config: str | None = None,
        cfg_options: dict | None = None,
        name: str = 'teacher',
        input_size: Sequence[int] | None = None,
        floor: dict[str, float] | None = None,
        fold: bool = True,
        memory_format: str = 'auto',
        compile: bool | str = False,
        cache_outputs: bool = False,
    ) -> None:
        model = teacher_config(dict(model=model, config=config, cfg_options=cfg_options))
        # a preprocessor that the config does not name is the host toolbox's default; then the student's applies
        self_prepared = model.get('data_preprocessor') is not None
        check_weights(name, checkpoint, model)
        network = MODELS.build(model)
        if not checkpoint and brings_weights(model):
            print_log(f"teacher '{name}' keeps the weights that its own library loaded", 'current')
        elif checkpoint is None:
            print_log(f"teacher '{name}' has no checkpoint: it keeps its random initialization", 'current', 30)
            network.init_weights()
        else:
            load_weights(network, checkpoint, f"teacher '{name}'")
        super().__init__(network)
        self.name = name
        self.fingerprint = fingerprint(network)
        self.input_size = None if input_size is None else tuple(input_size)
        self.floor = dict(floor or {})
        self._preprocessor = network.data_preprocessor if self_prepared else None
        self._agreements: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()  # with other preprocessors
        self._fast = FastForward(network, ForwardOptions(fold, memory_format, compile).checked(), name)
        self._outputs = OutputCache() if cache_outputs else None

    def _apply(self, fn: Callable, recurse: bool = True) -> 'Teacher':
        self._fast.moved()
        super()._apply(fn, recurse)
        return self

    @property
    def remembers(self) -> bool:
        """bool: Whether features of images are kept in memory."""
        return self._outputs is not None

    def features(
        self,
        inputs: Tensor,
        taps: Sequence[str],
        student_preprocessor: nn.Module,
        data_samples: Sequence[Any] | None = None,
        as_loaded: bool = False,
    ) -> dict[str, Tensor]:
        """Run the cheapest forward that reaches the taps.

        The network is made faster first, see :class:`topkd.models.teacher.fast_forward.FastForward`. Features keep
        their values up to rounding: to 1e-3 of the largest at a tap, or nothing is folded; it is about 1e-6.

        Args:
            inputs (Tensor): (N, 3, H, W), as the student's preprocessor made them.
            taps (Sequence[str]): See :func:`topkd.models.taps.tap.tap`.
            student_preprocessor (nn.Module): Tells how ``inputs`` were normalized.
            data_samples (Sequence, optional): Tell which part of ``inputs`` is padding.
            as_loaded (bool): Whether the network runs as it was loaded. Defaults to False.

        Returns:
            dict[str, Tensor]: One tensor a tap, without graph.
        """
        with torch.no_grad():
            inputs = self.adapt_inputs(inputs, student_preprocessor, data_samples)
            if as_loaded:
                return reach(self.module, inputs, taps)
            if self._outputs is None:
                return self._fast(inputs, taps)
            return self._outputs.read(inputs, taps, data_samples, lambda: self._fast(inputs, taps))

    def adapt_inputs(
        self, inputs: Tensor, student_preprocessor: nn.Module, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Turn the student's normalized images into the teacher's: channel order, normalization, padding, size."""
        if self._preprocessor is not None and not self._agrees_with(student_preprocessor, inputs):
            inputs = _renormalized(inputs, student_preprocessor, self._preprocessor)
            if data_samples is not None:
                # the host toolboxes pad after they normalize: a border is no pixel to be normalized anew
                repad(inputs, data_samples, getattr(self._preprocessor, 'pad_value', 0))
        return self.resized(inputs)

    def resized(self, inputs: Tensor) -> Tensor:
        """Bring images (N, 3, H, W) to the teacher's ``input_size``."""
        if self.input_size is None or tuple(inputs.shape[-2:]) == self.input_size:
            return inputs
        return F.interpolate(inputs, self.input_size, mode='bilinear', align_corners=False, antialias=True)

    def resolve(self, taps: Taps) -> Taps:
        """Replace names among taps, such as ``@pooled``, by what they are in this network.

        Args:
            taps (str | Sequence[str]): One tap or several.

        Raises:
            KeyError: If there is no such name.
            ValueError: If the network has no such taps.
        """
        return TapNames(self.module, self.resized(blank_image(None, self.module))).resolve(taps)

    def _agrees_with(self, preprocessor: nn.Module, inputs: Tensor) -> bool:
        """Tell whether a preprocessor makes the same of an image; asked in every step, looked at once."""
        if preprocessor not in self._agreements:
            self._agreements[preprocessor] = self._preprocessor is None or same_normalization(
                preprocessor, self._preprocessor, inputs
            )
        return self._agreements[preprocessor]


def same_normalization(source: nn.Module, target: nn.Module, like: Tensor) -> bool:
    """Tell whether two preprocessors normalize alike; the host waits for the values.

    Args:
        source (nn.Module): A data preprocessor of mmpretrain, mmdet or topkd.
        target (nn.Module): Another.
        like (Tensor): Of the type and device to compare in.
    """
    mean, std, order = _normalization(source, like)
    target_mean, target_std, target_order = _normalization(target, like)
    return order == target_order and torch.equal(mean, target_mean) and torch.equal(std, target_std)


def renormalize(inputs: Tensor, source: nn.Module, target: nn.Module) -> Tensor:
    """Map images normalized by one preprocessor to what another would have made of the same pixels.

    Args:
        inputs (Tensor): (N, 3, H, W) from ``source``.
        source (nn.Module): A data preprocessor of mmpretrain, mmdet or topkd.
        target (nn.Module): Another.

    Returns:
        Tensor: (N, 3, H, W); ``inputs`` itself where both agree.
    """
    return inputs if same_normalization(source, target, inputs) else _renormalized(inputs, source, target)


def _renormalized(inputs: Tensor, source: nn.Module, target: nn.Module) -> Tensor:
    mean, std, source_order = _normalization(source, inputs)
    target_mean, target_std, target_order = _normalization(target, inputs)
    pixels = inputs * std + mean
    return ((pixels.flip(1) if source_order != target_order else pixels) - target_mean) / target_std


def repad(inputs: Tensor, data_samples: Sequence[Any], value: float) -> None:
    """Set the borders around images that were padded to one size, in place.

    Args:
        inputs (Tensor): (N, 3, H, W), every image in the upper left corner.
        data_samples (Sequence): One an image; its ``img_shape`` is the size without padding. Samples that do not know
            it are taken to fill their image.
        value (float): Of the border.
    """
    for image, sample in zip(inputs, data_samples):
        height, width = getattr(sample, 'img_shape', image.shape[-2:])[:2]
        image[:, height:] = value
        image[:, :, width:] = value


def _normalization(preprocessor: nn.Module, like: Tensor) -> tuple[Tensor, Tensor, str]:
    """Return mean (3, 1, 1), std (3, 1, 1) and channel order of a preprocessor."""
    mean = getattr(preprocessor, 'mean', None)
    std = getattr(preprocessor, 'std', None)
    mean = like.new_zeros(3, 1, 1) if mean is None else mean.to(like).reshape(-1, 1, 1).expand(3, 1, 1)
    std = like.new_ones(3, 1, 1) if std is None else std.to(like).reshape(-1, 1, 1).expand(3, 1, 1)
    # images are decoded as BGR in the host toolboxes; topkd's own preprocessor says what it makes
    converted = getattr(preprocessor, 'to_rgb', False) or getattr(preprocessor, '_channel_conversion', False)
    return mean, std, getattr(preprocessor, 'channel_order', 'rgb' if converted else 'bgr')


def brings_weights(model: Mapping[str, Any]) -> bool:
    """Tell whether a network loads weights by itself when it is built.

    Args:
        model (Mapping): Its config. ``pretrained=True`` is a word of timm and HuggingFace, ``weights`` one of
            torchvision; a path as ``pretrained`` is mmpretrain's, which loads it on initialization.

    Example:
        >>> brings_weights(dict(type='topkd.TimmClassifier', model_name='resnet18', pretrained=True))
        True
        >>> brings_weights(dict(type='topkd.ModuleClassifier', module='torchvision.models.resnet18'))
        False
    """
    return model.get('pretrained') is True or model.get('weights') is not None


def check_weights(name: str, checkpoint: str | None, model: Mapping[str, Any]) -> None:
    """Refuse a teacher that would be random because its checkpoint was forgotten.

    Args:
        name (str): Of the teacher.
        checkpoint (str, optional): See :class:`Teacher`.
        model (Mapping): Config of its network.

    Raises:
        ValueError: If the checkpoint was left out and the network brings no weights.
    """
    if checkpoint == OWN and not brings_weights(model):
        raise ValueError(
            f"teacher '{name}' has no checkpoint and its network brings no weights: name a file by teacher.checkpoint "
            '(None for random weights), or a model with pretrained=True'
        )


def teacher_config(teacher: Mapping[str, Any]) -> dict:
    """Return the config of a teacher's network.

    Args:
        teacher (Mapping): Arguments of :class:`Teacher`.

    Raises:
        ValueError: If not exactly one of ``model`` and ``config`` is given.

    Example:
        >>> teacher_config(dict(model=dict(type='ImageClassifier'), name='resnet56'))
        {'type': 'ImageClassifier'}
    """
    model, config = teacher.get('model'), teacher.get('config')
    if (model is None) == (config is None):
        raise ValueError(
            "a teacher needs either 'model' (a dict) or 'config' (a file), got "
            + ('neither' if model is None else 'both')
        )
    if model is not None:
        return dict(model)
    loaded = read_config(str(config))
    loaded.merge_from_dict(dict(teacher.get('cfg_options') or {}))
    return with_preprocessor(loaded.model, loaded)
