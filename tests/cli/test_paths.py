"""Files and folders that a command line names."""

from argparse import ArgumentTypeError
from os.path import isdir, isfile

import pytest

from topkd.cli import config_path, keep_inputs, named_paths


def test_names_of_files_and_folders(tmp_path):
    for name in ('a', 'b=c', 'd.v2'):
        (tmp_path / name).mkdir()
    a, b, d = (str(tmp_path / name) for name in ('a', 'b=c', 'd.v2'))
    assert named_paths([a, f'x={a}', b, d], isdir, 'run') == {'a': a, 'x': a, 'b=c': b, 'd.v2': d}
    file = tmp_path / 'epoch_3.pth'
    file.write_text('')
    assert named_paths([str(file), f'KD={file}'], isfile, 'checkpoint') == {'epoch_3': str(file), 'KD': str(file)}


def test_messages(tmp_path):
    with pytest.raises(ValueError, match="two runs are named 'a', each needs a name of its own: give NAME=RUN"):
        named_paths([f'a={tmp_path}', f'a={tmp_path}'], isdir, 'run')
    with pytest.raises(
        FileNotFoundError, match="checkpoint 'nowhere.pth' does not exist: correct the path of NAME=CHECKPOINT"
    ):
        named_paths(['x=nowhere.pth'], isfile, 'checkpoint')


def test_configs_to_write_end_with_py():
    assert config_path('a.b/c.py').name == 'c.py'
    with pytest.raises(
        ArgumentTypeError, match="expected the name of a .py file, as configs are read from, got 'a.json'"
    ):
        config_path('a.json')


def test_a_file_that_is_read_is_not_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'a.pth').write_text('')
    (tmp_path / 'b.pth').symlink_to('a.pth')
    keep_inputs('new.pth', 'a.pth', None, 'topkd::c.py')
    for out in ('a.pth', tmp_path / 'b.pth'):
        with pytest.raises(ValueError, match='is read by this command, which would write over it: name another file'):
            keep_inputs(out, None, 'a.pth')
