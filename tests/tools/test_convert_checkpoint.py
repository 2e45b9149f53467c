"""The command: a file on success, one sentence and exit code 1 otherwise, and never a half-written file."""

import os
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location

import pytest
import torch

from topkd.models.backbones import CIFARResNet, benchmark_key

ROOT = os.path.join(os.path.dirname(__file__), '..', '..')
SCRIPT = os.path.join(ROOT, 'tools', 'convert_checkpoint.py')


@pytest.fixture
def source(tmp_path):
    torch.manual_seed(0)
    state = {
        benchmark_key('CIFARResNet', f'backbone.{key}'): value for key, value in CIFARResNet(8).state_dict().items()
    }
    state.update({'fc.weight': torch.randn(10, 64), 'fc.bias': torch.randn(10)})
    path = tmp_path / 'resnet8_best.pth'
    torch.save(dict(model=state, accuracy=torch.tensor(60.0)), path)
    return path


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the script in this process: (exit code, stdout, stderr)."""
    spec = spec_from_file_location('convert_checkpoint', SCRIPT)
    script = module_from_spec(spec)
    spec.loader.exec_module(script)

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', [SCRIPT, *map(str, arguments)])
        code = 0
        try:
            script.main()
        except SystemExit as stop:
            code = stop.code
        return (code, *capsys.readouterr())

    return run


def said(result) -> str:
    """Return what a process printed, without a line that mmpretrain prints on its import."""
    return result.stdout.replace('Could not import OneDL\n', '')


def test_as_a_process(source, tmp_path):
    destination = tmp_path / 'new' / 'ours.pth'
    environment = dict(os.environ, PYTHONPATH=ROOT, OMP_NUM_THREADS='1')
    result = subprocess.run(
        [sys.executable, SCRIPT, str(source), str(destination)], env=environment, text=True, capture_output=True
    )
    assert (result.returncode, said(result)) == (0, f'{destination}: resnet8, converted from resnet8_best.pth\n')
    file = torch.load(destination, weights_only=True)
    expected = dict(network='resnet8', num_classes=10, recorded=dict(accuracy=60.0), converted_from='resnet8_best.pth')
    assert file['meta'] == expected
    assert torch.equal(file['state_dict']['head.fc.bias'], torch.load(source, weights_only=True)['model']['fc.bias'])
    result = subprocess.run(
        [sys.executable, SCRIPT, 'no.pth', 'ours.pth'], env=environment, text=True, capture_output=True
    )
    assert (result.returncode, said(result)) == (1, '')
    assert result.stderr.splitlines()[-1].startswith("error: 'no.pth' is not a file: name an existing checkpoint")
    assert 'Traceback' not in result.stderr


@pytest.mark.parametrize(
    'option, message',
    [
        (('--network', 'resnet20'), 'the weights do not fit resnet20 (missing: layer1.1.conv1.weight'),
        (('--network', 'nonsense'), "unknown network 'nonsense': choose one of resnet20"),
        (('--network', 'ripsnet'), 'a RipsNet needs matrices layer1.linear.weight'),
        (('--network', 'ripsnet', '--operator', 'max'), "must be 'mean' or 'sum', got 'max'"),
    ],
)
def test_what_does_not_fit_leaves_the_destination_alone(command, source, tmp_path, option, message):
    destination = tmp_path / 'ours.pth'
    destination.write_text('before')
    code, out, err = command(source, destination, *option)
    assert (code, out) == (1, '') and err.startswith(f"error: '{source}': ") and message in err and err.count('\n') == 1
    assert destination.read_text() == 'before'


def test_destination_that_cannot_be_written(command, source, tmp_path):
    (tmp_path / 'file').write_text('before')
    code, _, err = command(source, tmp_path / 'file' / 'ours.pth')
    assert code == 1 and err.startswith(f"error: cannot write '{tmp_path}/file/ours.pth' (") and err.count('\n') == 1
    (tmp_path / 'folder' / 'inside').mkdir(parents=True)
    code, _, err = command(source, tmp_path / 'folder')
    assert code == 1 and err.startswith(f"error: cannot write '{tmp_path}/folder' (") and err.count('\n') == 1
    assert sorted(os.listdir(tmp_path)) == ['file', 'folder', 'resnet8_best.pth']


def test_full_disk_leaves_the_old_file(source, tmp_path):
    """A limit on the size of files stops the writing in the middle, as a full disk does."""
    resource = pytest.importorskip('resource')
    destination = tmp_path / 'ours.pth'
    destination.write_text('before')
    result = subprocess.run(
        [sys.executable, SCRIPT, str(source), str(destination)],
        text=True,
        capture_output=True,
        env=dict(os.environ, PYTHONPATH=ROOT, OMP_NUM_THREADS='1'),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"error: cannot write '{destination}' of 0.3 MiB (")
    assert destination.read_text() == 'before'
    assert sorted(os.listdir(tmp_path)) == ['ours.pth', 'resnet8_best.pth']


def test_existing_file_is_replaced_even_by_itself(command, source):
    assert command(source, source)[0] == 0
    assert set(torch.load(source, weights_only=True)) == {'state_dict', 'meta'}


@pytest.fixture
def wrapped(tmp_path):
    """Write the weights of a small classifier under other names, and its config."""
    torch.manual_seed(0)
    backbone, head = CIFARResNet(8), torch.nn.Linear(64, 10)
    state = {f'net.trunk.{key}': value for key, value in backbone.state_dict().items()}
    state.update({f'net.classifier.fc.{key}': value for key, value in head.state_dict().items()})
    torch.save(dict(state_dict=state), tmp_path / 'theirs.pt')
    (tmp_path / 'mine.py').write_text(
        "default_scope = 'mmpretrain'\nmodel = dict(type='ImageClassifier', backbone=dict(type='topkd.CIFARResNet', depth=8),\n"
        "    neck=dict(type='GlobalAveragePooling'), head=dict(type='LinearClsHead', num_classes=10, in_channels=64))\n"
    )
    return state


def test_any_network_of_a_config(command, wrapped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = command('theirs.pt', 'ours.pth', '--config', 'mine.py')
    assert code == 0, err
    assert "prefixes: 'net.trunk.' -> 'backbone.' (54), 'net.classifier.' -> 'head.' (2)" in out
    file = torch.load('ours.pth', weights_only=True)
    assert torch.equal(file['state_dict']['head.fc.bias'], wrapped['net.classifier.fc.bias'])
    assert file['meta']['network'] == 'mine' and len(file['state_dict']) == len(wrapped)


def test_wrong_prefixes_write_nothing(command, wrapped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = command('theirs.pt', 'ours.pth', '--config', 'mine.py', '--strip-prefix', 'net')
    assert code == 1 and 'name the config of the network that they belong to, or other prefixes' in err
    assert command('theirs.pt', 'ours.pth', '--strip-prefix', 'net')[0] == 2
    assert not (tmp_path / 'ours.pth').exists()


def test_a_config_is_not_written_over(call, tmp_path):
    torch.save(dict(model=dict(a=torch.zeros(1))), tmp_path / 'a.pth')
    (tmp_path / 'c.py').write_text('model = dict()\n')
    code, _, err = call('convert_checkpoint.py', 'a.pth', './c.py', '--config', 'c.py')
    assert code == 1 and "'./c.py' is read by this command, which would write over it" in err
    assert (tmp_path / 'c.py').read_text() == 'model = dict()\n'
    code, _, err = call('convert_checkpoint.py', 'a.pth', 'b.pth', '--network', 'vgg8', '--config', 'c.py')
    assert code == 2 and '--network and --config both say which network it is: give one of them' in err
