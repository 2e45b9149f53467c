"""Files are whole or absent."""

import os
import stat

import pytest
from mmengine.fileio import get_file_backend

from topkd.utils.files import read_json, remove_partials, whole_file, write_json, write_text
from topkd.utils.whole_file_backend import WholeFileBackend, use_whole_files


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / 'folder' / 'a.txt'
    write_text('old', path)
    with pytest.raises(KeyboardInterrupt), whole_file(path) as partial:
        partial.write_text('half')
        assert path.read_text() == 'old'
        raise KeyboardInterrupt
    assert path.read_text() == 'old' and os.listdir(path.parent) == ['a.txt']
    write_json(dict(a=1), path)
    assert path.read_text() == '{\n  "a": 1\n}\n'


@pytest.mark.parametrize(
    'text, what',
    [
        ('', 'Expecting value'),
        ('[1]', 'it must hold a dict, got a list'),
        ('{"a": 1}', 'it lacks b'),
        ('\xff', 'codec'),
    ],
)
def test_a_damaged_json_is_named(tmp_path, text, what):
    (tmp_path / 'a.json').write_bytes(text.encode('latin1'))
    with pytest.raises(ValueError, match=rf"a.json' is damaged \(.*{what}.*\): delete it, and give the command again"):
        read_json(tmp_path / 'a.json', 'a', 'b')


def test_a_full_disk_says_which_file_and_how_much(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('pathlib.Path.write_bytes', full)
    message = rf"cannot write '{tmp_path}/a.pth' of 3.0 MiB \(No space left on device\): free space on that disk"
    with pytest.raises(OSError, match=message):
        WholeFileBackend().put(bytes(3 * 2**20), tmp_path / 'a.pth')


def test_a_disk_with_room_is_not_called_full(tmp_path):
    (tmp_path / 'a.pth').mkdir()
    with pytest.raises(OSError, match=r"cannot write '.*a.pth' \(Is a directory\): choose another path; the file that"):
        with whole_file(tmp_path / 'a.pth') as partial:
            partial.write_text('x')


def test_a_device_or_pipe_is_written_to_and_never_replaced(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    reader = os.open(tmp_path / 'pipe', os.O_RDWR | os.O_NONBLOCK)
    try:
        write_text('a', tmp_path / 'pipe')
        assert os.read(reader, 9) == b'a' and stat.S_ISFIFO(os.stat(tmp_path / 'pipe').st_mode)
    finally:
        os.close(reader)


def test_a_device_that_takes_nothing_is_named():
    with pytest.raises(OSError, match=r"cannot write '/dev/full' of 0.0 MiB \(No space left on device\): free space"):
        write_text('a', '/dev/full')


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / 'link').symlink_to(tmp_path / 'file')
    write_text('a', tmp_path / 'link')
    write_text('b', tmp_path / 'link')
    assert (tmp_path / 'link').is_symlink() and (tmp_path / 'file').read_text() == 'b'


def test_what_killed_processes_left_is_removed(tmp_path):
    for name in ('.a.pth.77.partial', 'b.partial', 'c.pth'):
        (tmp_path / name).write_text('')
    remove_partials(tmp_path)
    remove_partials(tmp_path / 'missing')
    assert os.listdir(tmp_path) == ['c.pth']


def test_mmengine_writes_whole_files(tmp_path):
    use_whole_files()
    backend = get_file_backend(str(tmp_path))
    assert isinstance(backend, WholeFileBackend)
    backend.put(b'12', str(tmp_path / 'x' / 'a'))
    backend.put_text('ä', str(tmp_path / 'x' / 'b'))
    assert (tmp_path / 'x' / 'a').read_bytes() == b'12' and (tmp_path / 'x' / 'b').read_bytes() == 'ä'.encode()
