"""A training from its config to its end: what is done, in its order."""

from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from topkd.hooks.training_check_hook import check_loader
from topkd.launch import setup_processes
from topkd.preflight import check_run
from topkd.training_setup import prepare_training
from topkd.utils.allocator import keep_freed_memory
from topkd.utils.config import FormattedOnce
from topkd.utils.lock import working_in
from topkd.utils.resume import choose_start


def train(cfg: Config, resume: str | None = None) -> None:
    """Train what a config describes; ``tools/train.py`` is this with arguments.

    What holds for every tool, such as that nothing is unpickled freely, is seen to by :func:`topkd.cli.tool` around it.

    Args:
        cfg (Config): With ``launcher`` and ``work_dir``; changed in place.
        resume (str, optional): Where to go on, see :func:`topkd.utils.resume.choose_start`. None: as the config says.

    Raises:
        BlockingIOError: If another process trains in the work directory.
        ValueError: If the training lacks something.
    """
    setup_processes(cfg)
    keep_freed_memory()
    with working_in(cfg.work_dir, 'training', wait=False):
        choose_start(cfg, resume)
        check_run(cfg, 'train')
        prepare_training(cfg)
        cfg = FormattedOnce(cfg)
        runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
        if isinstance(runner, Runner):  # schedules that count batches are made before any hook is asked
            check_loader('train_dataloader', runner.train_loop.dataloader)
        runner.train()
