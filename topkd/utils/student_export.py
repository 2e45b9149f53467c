"""From a distillation checkpoint to the plain student, verified.

The toolboxes publish whole models; that the student alone computes the same is checked here.
"""

from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import Tensor

from topkd.utils.checkpoint import load_file, load_weights, save_file, weights_in
from topkd.utils.config import with_preprocessor
from topkd.utils.student_state import student_state

WEIGHTS = ('ema', 'raw')


def student_config(cfg: Config, member: str | None = None) -> dict:
    """Return the config of the plain student of a distillation config.

    Args:
        cfg (Config): Of a distiller or a cohort.
        member (str, optional): Name of the cohort's member.

    Raises:
        KeyError: If the config distils nothing.
        ValueError: If there is no such member.
    """
    if 'members' in cfg.model:
        return with_preprocessor(_member_of(cfg.model.members, member).student, cfg)
    if member is not None:
        raise ValueError(f"the config trains no cohort, so that it has no member, got '{member}': leave out --member")
    if 'student' not in cfg.model:
        raise KeyError(
            'the config has no model.student: name the distillation config that the checkpoint was trained with'
        )
    return with_preprocessor(cfg.model.student, cfg)


def _member_of(members: dict, name: str | None) -> Any:
    if name not in members:
        got = 'none was named' if name is None else f"got '{name}'"
        raise ValueError(f'the cohort has the members {", ".join(members)}, {got}: name one of them by --member')
    return members[name]


def plain_config(cfg: Config, member: str | None = None) -> Config:
    """Reduce a config to a plain network: a distillation to its student, without teacher, losses and their hooks.

    Args:
        cfg (Config): Of a plain network, a distiller or a cohort; changed in place.
        member (str, optional): Name of the cohort's member.

    Returns:
        Config: The same ``cfg``; a plain network's is left as it is.
    """
    if 'student' in cfg.model or 'members' in cfg.model or member is not None:
        cfg.model = student_config(cfg, member)
        cfg.custom_hooks = []
    return cfg


def select_weights(checkpoint: dict[str, Any], which: str, member: str | None = None) -> dict[str, Tensor]:
    """Take the student's averaged or raw weights out of a distillation checkpoint.

    MMEngine's EMA hook writes the averaged weights to ``state_dict`` and the raw ones to ``ema_state_dict``.

    Args:
        checkpoint (dict): Content of the file.
        which (str): 'ema', the averaged weights where the training kept some; or 'raw'.
        member (str, optional): Name of the cohort's member.

    Raises:
        ValueError: If the word is another one, or the checkpoint has no weights or no student.
    """
    if which not in WEIGHTS:
        raise ValueError(f"weights must be 'ema' or 'raw', got '{which}'")
    averaged = weights_in(checkpoint, 'the checkpoint')
    if which == 'ema' or 'ema_state_dict' not in checkpoint:
        return student_state(averaged, member)
    prefix = 'module.'
    others = weights_in(checkpoint, 'the checkpoint', 'ema_state_dict')
    raw = {key[len(prefix) :]: value for key, value in others.items() if key.startswith(prefix)}
    # buffers that the average does not cover stand in the state dict alone
    return {**student_state(averaged, member), **student_state(raw, member)}


@torch.no_grad()
def outputs(model: Any, inputs: Tensor) -> Tensor:
    """Run a network in eval mode and return everything it computes, flat: logits, or a detector's feature pyramid.

    Args:
        model (nn.Module): A classifier or detector.
        inputs (Tensor): Images (N, 3, H, W).

    Returns:
        Tensor: One dimension.
    """
    model.eval()
    result = model(inputs, mode='tensor') if hasattr(model, 'head') else model.extract_feat(inputs)
    tensors = result if isinstance(result, (tuple, list)) else [result]
    return torch.cat([tensor.flatten() for tensor in tensors])


def export_student(
    cfg: Config,
    checkpoint: str,
    out: str,
    weights: str = 'ema',
    target: Config | None = None,
    member: str | None = None,
) -> float:
    """Write the student of a distillation checkpoint as a plain checkpoint, and load it back to compare its outputs.

    Args:
        cfg (Config): The distillation config.
        checkpoint (str): A checkpoint of it.
        out (str): File to write.
        weights (str): See :func:`select_weights`. Defaults to 'ema'.
        target (Config, optional): The unmodified config that the file shall load in; the student's own by default.
        member (str, optional): Name of the cohort's member.

    Returns:
        float: Greatest difference between the outputs of both networks, 0.0.

    Raises:
        ValueError: If the file does not load strictly, or the outputs differ.
    """
    student = student_config(cfg, member)
    content = load_file(checkpoint)
    state = select_weights(content, weights, member)
    reference = MODELS.build(student)
    load_weights(reference, checkpoint, 'student', weights=state)
    plain = MODELS.build(student if target is None else with_preprocessor(target.model, target))
    load_weights(plain, checkpoint, 'exported student', weights=state)
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    difference = (outputs(reference, inputs) - outputs(plain, inputs)).abs().max().item()
    if difference > 0:
        raise ValueError(
            f'the exported student differs from the distilled one by {difference:.3g}: the config given with '
            '--student-config is not the student of this distillation'
        )
    meta = {key: content['meta'][key] for key in ('epoch', 'iter', 'dataset_meta') if key in content.get('meta', {})}
    save_file(dict(meta=meta, state_dict=state), out)
    load_weights(plain, out, 'exported student')
    return difference
