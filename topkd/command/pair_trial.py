"""A new pair, tried: its distiller is built from the config, and what the losses compare is told."""

from pathlib import Path

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import MODELS

from topkd.launch import setup_processes
from topkd.models.losses.topology_configs import artifacts_to_make, topology_configs
from topkd.models.teacher import teacher_config
from topkd.utils.config import read_config, with_preprocessor, without_weights


def tried(path: Path) -> list[str]:
    """Build a pair from its config with a random teacher, and say what its losses read of a blank image.

    Args:
        path (Path): The written config.

    Returns:
        list[str]: One line for each loss.

    Raises:
        ValueError: If the two networks cannot be compared; the message is the loss's.
    """
    cfg = read_config(str(path))
    cfg.launcher = 'none'
    setup_processes(cfg)
    MMLogger.get_instance('new-pair', log_level='ERROR')  # the initialization of every layer is of no interest here
    distiller = MODELS.build(_without_files(cfg))
    return [
        f"loss '{name}' compares {loss.student_tap} of the student with {loss.teacher_tap} of the teacher"
        for name, loss in distiller.losses.items()
    ]


def _without_files(cfg: Config) -> dict:
    """Return the model's config with random networks, and with exact images in the place of a RipsNet's."""
    model = with_preprocessor(cfg.model, cfg)
    network = without_weights(teacher_config(model['teacher']))
    model['teacher'] = dict(name=cfg.model.teacher.name, model=network, checkpoint=None)
    if 'input_size' in cfg.model.teacher:
        model['teacher']['input_size'] = cfg.model.teacher.input_size
    model['student'] = without_weights(model['student'])
    # RipsNet is made later, by the commands that are printed
    losses = topology_configs(cfg.model)
    exact = {
        name: dict(losses[name], vectorizer=dict(type='RipsImage'))
        for name in artifacts_to_make(cfg, cfg.model.teacher.name)
    }
    return dict(model, losses={**model['losses'], **exact})
