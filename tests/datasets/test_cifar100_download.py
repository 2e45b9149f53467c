"""The download: complete and verified, or nothing but a clear sentence. A server on this machine stands for the network."""

import hashlib
import io
import tarfile
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from threading import Thread

import pytest

import topkd.datasets.cifar100_download as module
from topkd.datasets.cifar100_download import download_cifar100


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def archive(tmp_path, monkeypatch):
    path = tmp_path / 'official.tar.gz'
    with tarfile.open(path, 'w:gz') as tar:
        for name in ('cifar-100-python/train', 'cifar-100-python/test', 'cifar-100-python/meta', '../escaped'):
            info = tarfile.TarInfo(name)
            info.size = len(name)
            tar.addfile(info, io.BytesIO(name.encode()))
    monkeypatch.setattr(module, 'MD5', hashlib.md5(path.read_bytes()).hexdigest())
    server = HTTPServer(('127.0.0.1', 0), partial(QuietHandler, directory=str(tmp_path)))
    monkeypatch.setattr(module, 'URL', f'http://127.0.0.1:{server.server_port}/{path.name}')
    Thread(target=server.serve_forever, daemon=True).start()
    yield path
    server.shutdown()
    server.server_close()


def test_three_files_arrive_and_nothing_else(archive, tmp_path):
    target = tmp_path / 'data' / 'cifar100' / 'cifar-100-python'
    download_cifar100(target)
    assert sorted(path.name for path in target.iterdir()) == ['meta', 'test', 'train']
    assert (target / 'train').read_text() == 'cifar-100-python/train'
    assert [path.name for path in target.parent.iterdir()] == ['cifar-100-python']
    assert not list(tmp_path.rglob('escaped'))


def test_a_changed_archive_is_refused(archive, tmp_path):
    archive.write_bytes(archive.read_bytes()[:-10])
    with pytest.raises(
        ValueError, match='expected an archive with the md5 sum .* got another one: try again, or fetch'
    ):
        download_cifar100(tmp_path / 'data' / 'cifar-100-python')
    assert not (tmp_path / 'data').exists()


def test_no_network_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, 'URL', 'http://127.0.0.1:9/absent')
    message = 'could not be downloaded \\(URLError: .*\\): fetch .* unpack it and set data_root to the folder'
    with pytest.raises(FileNotFoundError, match=message):
        download_cifar100(tmp_path / 'data' / 'cifar-100-python')
    assert not (tmp_path / 'data').exists()


def test_a_full_disk_is_one_sentence_and_leaves_nothing(archive, tmp_path, monkeypatch):

    def full(source, target):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(module, '_extract', full)
    with pytest.raises(FileNotFoundError, match='could not be downloaded \\(OSError: .*No space left on device\\)'):
        download_cifar100(tmp_path / 'data' / 'cifar-100-python')
    assert not (tmp_path / 'data').exists()


def test_another_process_may_be_faster(archive, tmp_path, monkeypatch):
    target = tmp_path / 'data' / 'cifar-100-python'
    extract = module._extract

    def slow_extract(*args):
        target.mkdir(parents=True)
        for name in module.FILES:
            (target / name).write_text('theirs')
        return extract(*args)

    monkeypatch.setattr(module, '_extract', slow_extract)
    download_cifar100(target)
    assert (target / 'train').read_text() == 'theirs'
