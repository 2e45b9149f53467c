"""MMEngine's back end for MLflow, with names of pictures that MLflow takes."""

from os.path import splitext
from typing import Any

import numpy as np
from mmengine.visualization import MLflowVisBackend as MMEngineMLflowVisBackend

from topkd.registry import VISBACKENDS


@VISBACKENDS.register_module()
class MLflowVisBackend(MMEngineMLflowVisBackend):
    """Send scalars, the config, files and pictures of a training to MLflow.

    MLflow tells a picture's format by the ending of its name, and a second picture of a name replaces the first:
    pictures are called ``NAME_STEP.png`` here. All else is MMEngine's.

    Args:
        save_dir (str): See MMEngine's ``MLflowVisBackend``, as for all further arguments.

    Examples:
        >>> MLflowVisBackend('runs', tracking_uri='sqlite:///mlflow.db').picture_name('topology_images', 3)
        'topology_images_3.png'
    """

    @staticmethod
    def picture_name(name: str, step: int) -> str:
        """Return the name under which MLflow gets a picture.

        Args:
            name (str): As the training calls it; one with an ending is kept.
            step (int): Epoch or iteration.
        """
        return name if splitext(name)[1] else f'{name}_{step}.png'

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None:
        """Log a picture.

        Args:
            name (str): Of the picture.
            image (np.ndarray): (H, W, 3) uint8, RGB.
            step (int): Epoch or iteration. Defaults to 0.
            kwargs (Any): Unused.
        """
        super().add_image(self.picture_name(name, step), image, step, **kwargs)
