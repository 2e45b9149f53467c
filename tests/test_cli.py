"""Arguments that the tools share."""
from os.path import isdir, isfile

import pytest

from topkd.cli import named_paths


def test_names_of_files_and_folders(tmp_path):
    for name in ('a', 'b=c', 'd.v2'):
        (tmp_path / name).mkdir()
    a, b, d = (str(tmp_path / name) for name in ('a', 'b=c', 'd.v2'))
    assert named_paths([a, f'x={a}', b, d], isdir, 'run') == {'a': a, 'x': a, 'b=c': b, 'd.v2': d}
    file = tmp_path / 'epoch_3.pth'
    file.write_text('')
    assert named_paths([str(file), f'KD={file}'], isfile, 'checkpoint') == {'epoch_3': str(file), 'KD': str(file)}


def test_messages(tmp_path):
    with pytest.raises(ValueError, match="two runs are named 'a': give each its own NAME=RUN"):
        named_paths([f'a={tmp_path}', f'a={tmp_path}'], isdir, 'run')
    with pytest.raises(FileNotFoundError, match="checkpoint 'nowhere.pth' does not exist: correct the path of NAME=CHECKPOINT"):
        named_paths(['x=nowhere.pth'], isfile, 'checkpoint')
