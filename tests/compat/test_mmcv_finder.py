"""Import order, shadowing and error messages, each in a fresh interpreter where the order matters."""

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from topkd.compat import install_mmcv_ops
from topkd.compat.missing_op import MissingOp
from topkd.compat.mmcv_finder import MMCVExtensionFinder

ROOT = Path(__file__).parents[2]


def run_python(code, *path, file=None):
    """Run code (or a file of it) in a fresh interpreter that finds topkd, and return what it printed."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, (*path, ROOT))), OMP_NUM_THREADS='1')
    if file is not None:
        file.write_text(code)
    command = [sys.executable, '-W', 'ignore', *(['-c', code] if file is None else [str(file)])]
    result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_importing_topkd_loads_nothing_heavy():
    names = ('torch', 'torchvision', 'mmcv', 'mmengine.runner', 'cv2')
    assert run_python(f'import sys, topkd; print(*[name for name in {names} if name in sys.modules])') == []


def test_torchvision_is_loaded_by_the_first_call_only():
    printed = run_python(
        'import sys, topkd, torch\n'
        'from mmcv.ops import RoIAlign, batched_nms, nms\n'
        'print("torchvision" in sys.modules)\n'
        'nms(torch.rand(3, 4), torch.rand(3), 0.5)\n'
        'print("torchvision" in sys.modules)'
    )
    assert printed == ['False', 'True']


def test_the_extension_has_a_spec_and_mmengine_sees_it():
    from mmengine.utils.dl_utils import mmcv_full_available

    spec = importlib.util.find_spec('mmcv._ext')
    assert spec.name == 'mmcv._ext' and spec.loader is not None
    assert importlib.import_module('mmcv._ext').__spec__.name == 'mmcv._ext'
    assert mmcv_full_available()
    assert importlib.util.find_spec('mmcv._extra') is None


def test_installing_twice_adds_one_finder_at_the_end():
    install_mmcv_ops()
    assert [type(finder) for finder in sys.meta_path].count(MMCVExtensionFinder) == 1
    assert importlib.util.find_spec('mmcv.ops').origin.endswith('__init__.py')


@pytest.mark.parametrize(
    'code', ['import topkd, mmcv._ext', 'import mmcv._ext, topkd', 'import mmcv, topkd, mmcv._ext']
)
def test_a_compiled_extension_is_never_shadowed(tmp_path, code):
    (tmp_path / 'mmcv').mkdir()
    (tmp_path / 'mmcv/__init__.py').write_text('')
    (tmp_path / 'mmcv/_ext.py').write_text('nms = "compiled"')
    printed = run_python(
        f'{code}\nimport importlib.util\nprint(mmcv._ext.nms, importlib.util.find_spec("mmcv._ext").origin)', tmp_path
    )
    assert printed == ['compiled', str(tmp_path / 'mmcv/_ext.py')]


def test_mmdet_imports_after_it_failed_without_topkd():
    printed = run_python(
        'try:\n'
        '    import mmcv.ops\n'
        'except ImportError as error:\n'
        '    print(error.name)\n'
        'try:\n'
        '    import mmdet.models\n'
        'except (ImportError, TypeError):  # the second beside transformers 5\n'
        '    pass\n'
        'import topkd, mmdet.models, mmdet.apis\n'
        'from mmcv.ops import RoIAlign, batched_nms, nms\n'
        'from mmdet.registry import MODELS\n'
        'print(MODELS.get("FasterRCNN").__name__, RoIAlign.__module__)'
    )
    assert 'mmcv._ext' in printed
    assert printed[-2:] == ['FasterRCNN', 'mmcv.ops.roi_align']


@pytest.mark.parametrize(
    'call',
    [
        lambda ops, boxes: ops.soft_nms(boxes, boxes[:, 0]),
        lambda ops, boxes: ops.nms_match(torch.rand(3, 5), 0.5),
        lambda ops, boxes: ops.RoIPool(7)(torch.rand(1, 1, 8, 8), torch.rand(2, 5)),
        lambda ops, boxes: ops.DeformConv2d(2, 2, 3)(torch.rand(1, 2, 8, 8), torch.rand(1, 18, 6, 6)),
    ],
)
def test_a_missing_op_names_itself_and_what_to_install(call):
    import mmcv.ops

    with pytest.raises(NotImplementedError) as error:
        call(mmcv.ops, torch.rand(3, 4))
    message = str(error.value)
    assert any(name in message for name in ("'softnms'", "'nms_match'", "'roi_pool_forward'", "'deform_conv_forward'"))
    assert f'install mmcv compiled for torch {torch.__version__}' in message and 'MMCV_WITH_OPS=1' in message


def test_the_extension_answers_for_ops_but_not_for_pythons_own_names():
    extension = importlib.import_module('mmcv._ext')
    assert repr(extension.ball_query_forward) == "MissingOp('ball_query_forward')"
    assert not hasattr(extension, '__path__') and not hasattr(extension, '_no_op')
    with pytest.raises(NotImplementedError, match="'some_new_op'"):
        pickle.loads(pickle.dumps(extension.some_new_op))()
    assert pickle.loads(pickle.dumps(extension.nms)) is extension.nms
    assert isinstance(extension.softnms, MissingOp)


def test_mmcvs_environment_report_says_that_torchvision_stands_in():
    import mmcv.ops

    assert 'torchvision' in mmcv.ops.get_compiler_version()
    assert 'torchvision' in mmcv.ops.get_compiling_cuda_version()


SPAWNED = """
import topkd
import torch
from mmcv.ops import RoIAlign
from torch.nn.parallel import DistributedDataParallel

ROIS = torch.tensor([[0, 1., 1., 9., 9.], [0, 0., 2., 5., 12.]])


def gradient(images, wrap=lambda model: model):
    torch.manual_seed(0)
    model = wrap(torch.nn.ModuleDict(dict(conv=torch.nn.Conv2d(1, 2, 3), pool=RoIAlign(7))))
    inner = getattr(model, 'module', model)
    inner.forward = lambda image: inner['pool'](inner['conv'](image), ROIS).square().mean()
    for image in images:
        (model(image[None]) / len(images)).backward()
    return inner['conv'].weight.grad


def work(rank, images, file, queue):
    torch.distributed.init_process_group('gloo', init_method='file://' + file, rank=rank, world_size=2)
    torch.set_num_threads(1)
    queue.put((rank, gradient(images[rank:rank + 1], DistributedDataParallel).tolist()))
    torch.distributed.destroy_process_group()


if __name__ == '__main__':
    import sys
    images = torch.randn(2, 1, 14, 14, generator=torch.Generator().manual_seed(0))
    context = torch.multiprocessing.get_context('spawn')
    queue = context.SimpleQueue()
    workers = torch.multiprocessing.spawn(work, (images, sys.argv[0] + '.store', queue), 2, join=False)
    results = dict(queue.get() for _ in range(2))
    while not workers.join():
        pass
    expected = gradient(images)
    for rank in range(2):
        torch.testing.assert_close(torch.tensor(results[rank]), expected)
    print('equal')
"""


def test_spawned_ddp_ranks_reach_the_gradient_of_one_process(tmp_path):
    assert run_python(SPAWNED, file=tmp_path / 'script.py') == ['equal']
