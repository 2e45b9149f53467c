"""Checkpoints by address."""

from urllib.error import URLError

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from topkd.utils.addresses import cached_file, download, web_address
from topkd.utils.checkpoint import load_file


def test_where_downloads_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    assert cached_file('https://a.b/c/net-1.pth?x=1') == tmp_path / 'checkpoints' / 'net-1.pth'
    assert cached_file('torchvision://resnet18').name.startswith('resnet18-')


@pytest.mark.parametrize('address', ['file:///x.pth', 'gs://b/x.pth', 's3://b/x.pth', '://x'])
def test_unknown_schemes_end(address):
    with pytest.raises(ValueError, match='unknown scheme .*: name a local file, or an address of http, https, torchv'):
        load_file(address)


def test_unknown_network():
    with pytest.raises(KeyError, match="torchvision has no network 'resnet19'"):
        web_address('torchvision://resnet19')


def test_no_network(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))

    def unreachable(*args, **kwargs):
        raise URLError(OSError(-2, 'Name or service not known'))

    monkeypatch.setattr(CheckpointLoader, 'load_checkpoint', unreachable)
    with pytest.raises(
        OSError, match=f"'https://a.b/n.pth' cannot be downloaded .*put it at '{tmp_path}/checkpoints/n.pth'"
    ):
        download('https://a.b/n.pth')


def test_a_damaged_download(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setenv('TORCH_FORCE_WEIGHTS_ONLY_LOAD', '1')
    (tmp_path / 'checkpoints').mkdir()
    (tmp_path / 'checkpoints' / 'n.pth').write_bytes(b'no checkpoint')
    with pytest.raises(ValueError, match='delete that file, so that it is downloaded again'):
        load_file('https://a.b/n.pth')


def test_a_port_that_is_no_number():
    with pytest.raises(ValueError, match=r"'https://a:b/x.pth' is no address \(Port .*\): correct it, or name a local"):
        web_address('https://a:b/x.pth')
