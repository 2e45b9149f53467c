"""A stand-in for ops of mmcv that are not available: it raises an error that says so when it is called."""

from typing import Any, NoReturn


class MissingOp:
    """Raises, when it is called, an error that says which op is missing and what to install.

    Args:
        name (str): Name of the op in mmcv's compiled extension.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise for whatever arguments mmcv passes.

        Raises:
            NotImplementedError: If it is called.
        """
        import torch  # already loaded by whoever calls an op, and not needed to import topkd

        raise NotImplementedError(
            f'the op {self.name!r} needs mmcv with compiled ops, but the installed mmcv has none and topkd stands in '
            'only for nms, roi_align (average pooling) and sigmoid_focal_loss: install mmcv compiled for torch '
            f'{torch.__version__} (built from source with MMCV_WITH_OPS=1), or configure the model without this op'
        )

    def __repr__(self) -> str:
        return f'MissingOp({self.name!r})'
