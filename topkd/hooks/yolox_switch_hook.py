"""A hook that ends YOLOX's mosaics and begins its L1 loss, of distilled students too."""

from types import SimpleNamespace
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from topkd.registry import HOOKS


@HOOKS.register_module()
class YOLOXSwitchHook(Hook):
    """Do for every YOLOX of a training what mmdet's ``YOLOXModeSwitchHook`` does for a model that is one.

    A plain detector, the student of a :class:`topkd.models.Distiller` and the members of a
    :class:`topkd.models.Cohort` are all found.

    Args:
        **options (Any): Arguments of mmdet's hook: ``num_last_epochs``, ``skip_type_keys``.
    """

    def __init__(self, **options: Any) -> None:
        from mmdet.engine.hooks import YOLOXModeSwitchHook  # seconds to import, and of use to YOLOX only

        self.switch = YOLOXModeSwitchHook(**options)

    def before_train_epoch(self, runner: Runner) -> None:
        """Switch once, when the last epochs begin.

        Raises:
            ValueError: If the training has no YOLOX.
        """
        from mmdet.models.dense_heads import YOLOXHead

        heads = [module for module in runner.model.modules() if isinstance(module, YOLOXHead)]
        if not heads:
            raise ValueError(
                f'YOLOXSwitchHook needs a YOLOX among the networks that are trained, got '
                f'{type(runner.model).__name__} without one: remove the hook from custom_hooks'
            )
        seen = SimpleNamespace(
            epoch=runner.epoch,
            max_epochs=runner.max_epochs,
            train_dataloader=runner.train_dataloader,
            logger=runner.logger,
            model=SimpleNamespace(bbox_head=heads[0]),
        )
        self.switch.before_train_epoch(seen)
        for head in heads:
            head.use_l1 = heads[0].use_l1
