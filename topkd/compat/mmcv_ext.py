"""The module that Python loads as ``mmcv._ext`` where no compiled one is installed: three ops and honest errors."""

from topkd.compat.focal_loss import sigmoid_focal_loss_backward, sigmoid_focal_loss_forward
from topkd.compat.missing_op import MissingOp
from topkd.compat.torchvision_ops import nms, roi_align_backward, roi_align_forward

__all__ = [
    'get_compiler_version',
    'get_compiling_cuda_version',
    'nms',
    'roi_align_backward',
    'roi_align_forward',
    'sigmoid_focal_loss_backward',
    'sigmoid_focal_loss_forward',
]


def get_compiler_version() -> str:
    """Name the compiler of the ops for mmcv's environment report: there is none."""
    return 'n/a (nms and roi_align run through torchvision)'


def get_compiling_cuda_version() -> str:
    """Name the CUDA version of the ops for mmcv's environment report: there is none."""
    return 'n/a (nms and roi_align run through torchvision)'


def __getattr__(name: str) -> MissingOp:
    # mmcv asserts at import that every op of a file exists, so a missing one may complain only when it is called.
    # Names with an underscore are the import system's and the debuggers' questions, not ops.
    if name.startswith('_'):
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return MissingOp(name)
