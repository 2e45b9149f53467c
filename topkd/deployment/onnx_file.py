"""A network as an ONNX file, written only if onnxruntime computes from it what PyTorch computes."""

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from topkd.analysis.networks.images import ImageSize
from topkd.compat.hosts import is_installed
from topkd.deployment.plain_forward import PlainForward
from topkd.utils.files import whole_file

EXPORTERS = ('torchscript', 'dynamo')
OPSET = 17
# images of the batches that the file is compared on, if their number is free
COUNTS = (1, 2, 5)


class Exported(NamedTuple):
    """What was written.

    Attributes:
        names (list[str]): Of the outputs.
        difference (float): Greatest one between the outputs of onnxruntime and PyTorch.
        relative (float): Greatest one as a part of its output's greatest magnitude, or of 1 where that is less.
        counts (tuple[int]): Images of the batches that were compared.
    """

    names: list[str]
    difference: float
    relative: float
    counts: tuple[int, ...]


def export_onnx(
    model: nn.Module,
    size: ImageSize,
    path: str | Path,
    *,
    pixels: bool = False,
    count: int | None = None,
    exporter: str = 'torchscript',
    tolerance: float = 1e-4,
) -> Exported:
    """Write a network as an ONNX file after a comparison of its outputs with those of PyTorch.

    Args:
        model (nn.Module): See :class:`topkd.deployment.plain_forward.PlainForward`; moved to the CPU.
        size (ImageSize): Of the images, which the file keeps.
        path (str | Path): File to write.
        pixels (bool): Whether the file takes pixels 0..255 in RGB and normalizes them itself. Defaults to False.
        count (int, optional): Images of a batch; any number by default.
        exporter (str): 'torchscript' works with every PyTorch that this package runs on, 'dynamo' is the newer one.
        tolerance (float): Greatest ``relative`` difference. Defaults to 1e-4.

    Returns:
        Exported: Names of the outputs and how far they differ.

    Raises:
        ModuleNotFoundError: If onnx or onnxruntime is missing.
        ValueError: If the exporter is unknown, does not go with this PyTorch or cannot express the network, or if the
            outputs differ by more than the tolerance; nothing is written.
    """
    _check_packages(exporter)
    network = PlainForward(model.cpu(), pixels).eval()
    content = _written(network, _images(size, count or 2, pixels), count is None, exporter)
    result = compare_outputs(network, content, size, (count,) if count else COUNTS, pixels)
    if not result.relative <= tolerance:
        raise ValueError(
            'onnxruntime computes something else from the file than PyTorch: the outputs differ by '
            f'{result.difference:.3g}, {result.relative:.3g} of an output, tolerated is {tolerance:g}: nothing was '
            'written, try another exporter (--exporter) or a fixed number of images (--batch-size)'
        )
    with whole_file(path, len(content)) as partial:
        partial.write_bytes(content)
    return result


@torch.no_grad()
def compare_outputs(
    network: PlainForward, content: bytes, size: ImageSize, counts: Sequence[int], pixels: bool
) -> Exported:
    """Run an ONNX file in onnxruntime on random images and compare its outputs with those of the network.

    Args:
        network (PlainForward): What the file was made from.
        content (bytes): Of the file.
        size (ImageSize): Of the images.
        counts (Sequence[int]): Images of the batches.
        pixels (bool): Whether the images are pixels 0..255.

    Returns:
        Exported: Names of the outputs and how far they differ.
    """
    import onnxruntime

    session: Any = onnxruntime.InferenceSession(content, providers=['CPUExecutionProvider'])
    difference = relative = 0.0
    for number, count in enumerate(counts):
        images = _images(size, count, pixels, seed=number + 1)
        found = session.run(network.names, dict(images=images.numpy()))
        for expected, array in zip(network(images), found, strict=True):
            output = torch.from_numpy(array)
            if output.shape != expected.shape:
                raise ValueError(
                    f'onnxruntime computes an output of shape {tuple(output.shape)} from the file, PyTorch '
                    f'{tuple(expected.shape)}, on {count} images: nothing was written, try another exporter '
                    '(--exporter) or a fixed number of images (--batch-size)'
                )
            # a NaN of one side alone must not be lost in a maximum
            gap = torch.nan_to_num((output - expected).abs(), nan=float('inf')).max().item()
            difference = max(difference, gap)
            relative = max(relative, gap / max(1.0, expected.abs().max().item()))
    return Exported(network.names, difference, relative, tuple(counts))


def _check_packages(exporter: str) -> None:
    if exporter not in EXPORTERS:
        raise ValueError(f"exporter must be 'torchscript' or 'dynamo', got '{exporter}'")
    if exporter == 'dynamo' and not _torch_is_from(2, 6):
        raise ValueError(f"exporter 'dynamo' needs PyTorch 2.6, this is {torch.__version__}: use 'torchscript'")
    needed = ['onnx', 'onnxruntime', *(['onnxscript'] if exporter == 'dynamo' else [])]
    missing = [name for name in needed if not is_installed(name)]
    if missing:
        raise ModuleNotFoundError(
            f"an ONNX file needs {' and '.join(missing)}, not installed here: pip install 'topkd[onnx]'"
        )


def _images(size: ImageSize, count: int, pixels: bool, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    if pixels:
        return torch.randint(0, 256, (count, 3, *size), generator=generator).float()
    return torch.randn(count, 3, *size, generator=generator)


@torch.no_grad()
def _written(network: PlainForward, images: Tensor, free: bool, exporter: str) -> bytes:
    """Export a network to the bytes of an ONNX file; ``free`` leaves the number of images open."""
    network(images)  # tells the names of the outputs
    export: Any = torch.onnx.export
    names = dict(input_names=['images'], output_names=list(network.names), opset_version=OPSET)
    stream = io.BytesIO()
    try:
        with warnings.catch_warnings():
            # the exporters warn of every constant that they fold, and of their own age
            warnings.simplefilter('ignore')
            if exporter == 'dynamo':
                shapes = ({0: torch.export.Dim('count')},) if free else None
                export(network, (images,), dynamo=True, dynamic_shapes=shapes, verbose=False, **names).save(stream)
            else:
                axes = {name: {0: 'count'} for name in ('images', *network.names)} if free else None
                export(network, (images,), stream, dynamic_axes=axes, **_torchscript(), **names)
    except Exception as error:
        # an exporter fails in any way on what it does not know
        words = str(error).strip().splitlines() or ['']
        raise ValueError(
            f'the exporter {exporter} cannot express {type(network.model).__name__} ({type(error).__name__}: '
            f'{words[0][:200]}): try the other exporter'
        ) from error
    return stream.getvalue()


def _torchscript() -> dict[str, bool]:
    """Name the exporter by TorchScript, the default before PyTorch 2.9 and the only one in 2.4."""
    return dict(dynamo=False) if _torch_is_from(2, 5) else {}


def _torch_is_from(major: int, minor: int) -> bool:
    return tuple(map(int, torch.__version__.split('.')[:2])) >= (major, minor)
