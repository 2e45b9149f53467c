"""tools/export_onnx.py: which checkpoints it takes, what it writes and says."""

import numpy as np
import onnxruntime
import pytest
import torch
from in_process import ROOT
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from topkd.utils.checkpoint import save_file

PLAIN = ROOT / 'configs' / 'baselines' / 'resnet8_digits.py'
PAIR = ROOT / 'configs' / 'kd' / 'resnet20-resnet8_digits.py'
COHORT = ROOT / 'configs' / 'cohorts' / 'resnet20-resnet8_digits.py'


@pytest.fixture
def student():
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(PLAIN).model).eval()
    return model


def logits(file, images: torch.Tensor) -> np.ndarray:
    return onnxruntime.InferenceSession(file, providers=['CPUExecutionProvider']).run(
        ['logits'], dict(images=images.numpy())
    )[0]


@pytest.mark.parametrize(
    'config, prefix, words',
    [
        (PLAIN, '', ()),  # what student_epoch_N.pth and export_student.py hold
        (PAIR, 'student.', ()),
        (COHORT, 'members.KD.student.', ('--member', 'KD')),
    ],
)
def test_every_kind_of_checkpoint(call, student, tmp_path, config, prefix, words):
    state = {f'{prefix}{name}': tensor for name, tensor in student.state_dict().items()}
    save_file(dict(state_dict=state), tmp_path / 'weights.pth')
    code, out, err = call('export_onnx.py', config, 'weights.pth', *words)
    assert code == 0, err
    said, compared = out.splitlines()[-2:]
    assert said == 'weights.onnx: logits of normalized images N x 3 x 8 x 8'
    assert compared.startswith('onnxruntime beside PyTorch on batches of 1, 2, 5: greatest difference ')
    images = torch.randn(4, 3, 8, 8)
    expected = student(images, mode='tensor').detach()
    np.testing.assert_allclose(logits('weights.onnx', images), expected, atol=1e-5)


def test_shape_batch_and_name(call, student, tmp_path):
    save_file(dict(state_dict=student.state_dict()), tmp_path / 'weights.pth')
    words = ('--pixels', '--shape', '12', '10', '--batch-size', '3', '--out', 'made/net.onnx')
    code, out, err = call('export_onnx.py', PLAIN, 'weights.pth', *words)
    assert code == 0 and 'made/net.onnx: logits of pixels 3 x 3 x 12 x 10' in out
    assert logits('made/net.onnx', torch.zeros(3, 3, 12, 10)).shape == (3, 10)


@pytest.mark.parametrize(
    'words, message',
    [
        ((PLAIN, 'missing.pth'), "checkpoint 'missing.pth' does not exist"),
        ((PLAIN, 'weights.pth', '--tolerance', '-1'), 'onnxruntime computes something else from the file'),
        ((COHORT, 'weights.pth'), 'name one of them by --member'),
        ((ROOT / 'configs/baselines/resnet20_digits.py', 'weights.pth'), 'does not fit ImageClassifier'),
    ],
)
def test_wrong_arguments(call, student, tmp_path, words, message):
    save_file(dict(state_dict=student.state_dict()), tmp_path / 'weights.pth')
    code, _, err = call('export_onnx.py', *words)
    assert code == 1 and message in err and 'Traceback' not in err
    assert not (tmp_path / 'weights.onnx').exists()
