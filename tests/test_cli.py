"""Arguments that the tools share."""

import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from os.path import isdir, isfile

import pytest
from said import without_warnings

from topkd.cli import (
    analysis_parser,
    config_path,
    count,
    keep_inputs,
    load_config,
    named_paths,
    parser,
    seed,
    share,
    tool,
)


def test_names_of_files_and_folders(tmp_path):
    for name in ('a', 'b=c', 'd.v2'):
        (tmp_path / name).mkdir()
    a, b, d = (str(tmp_path / name) for name in ('a', 'b=c', 'd.v2'))
    assert named_paths([a, f'x={a}', b, d], isdir, 'run') == {'a': a, 'x': a, 'b=c': b, 'd.v2': d}
    file = tmp_path / 'epoch_3.pth'
    file.write_text('')
    assert named_paths([str(file), f'KD={file}'], isfile, 'checkpoint') == {'epoch_3': str(file), 'KD': str(file)}


def test_analyses_run_in_one_process():
    assert parser('x').parse_args(['c.py', '--launcher', 'pytorch']).launcher == 'pytorch'
    alone = analysis_parser('x').parse_args(['c.py', 'a.pth', '--batches', '3'])
    assert (alone.launcher, alone.local_rank, alone.batches) == ('none', 0, 3)


@pytest.mark.parametrize('word', ['0', '-3', 'many'])
def test_counts_begin_at_one(word):
    with pytest.raises(ArgumentTypeError, match=f"expected a whole number from 1, got '{word}'"):
        count(word)


@pytest.mark.parametrize(
    'words, message',
    [
        (['c.py', '--work-dir'], 'argument --work-dir: expected one argument, got another number of them: --help says'),
        (['c.py', '--nope'], 'unrecognized arguments: --nope: correct or leave them out, --help lists what there is'),
    ],
)
def test_words_that_are_missing_or_unknown(words, message, capsys):
    with pytest.raises(SystemExit):
        parser('x').parse_args(words)
    assert f'error: {message}' in capsys.readouterr().err


@pytest.mark.parametrize('word', ['0', '1', '-0.5', 'nan', 'half', ''])
def test_shares_lie_between_zero_and_one(word):
    with pytest.raises(ArgumentTypeError, match=f"expected a number above 0 and below 1, got '{word}'"):
        share(word)
    assert share('0.25') == 0.25


@pytest.mark.parametrize('word', ['-1', '4294967296', '1.5', 'x', '²'])
def test_seeds_are_those_of_numpy(word):
    with pytest.raises(ArgumentTypeError, match=f"expected a whole number from 0 to 4294967295, got '{word}'"):
        seed(word)
    assert seed('0') == 0


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


@pytest.mark.parametrize('folder', ['3', "''", '[]'])
def test_a_work_directory_that_is_no_name(tmp_path, folder):
    (tmp_path / 'c.py').write_text(f'work_dir = {folder}\n')
    with pytest.raises(TypeError, match='work_dir must be the name of a folder, got .*: correct it in the config'):
        load_config(parser('x').parse_args([str(tmp_path / 'c.py')]))


def test_a_default_scope_that_is_no_name(tmp_path):
    (tmp_path / 'c.py').write_text('default_scope = 3\n')
    with pytest.raises(TypeError, match='default_scope must be the name of a package, got 3: correct it in the config'):
        load_config(parser('x').parse_args([str(tmp_path / 'c.py')]))


def test_messages(tmp_path):
    with pytest.raises(ValueError, match="two runs are named 'a', each needs a name of its own: give NAME=RUN"):
        named_paths([f'a={tmp_path}', f'a={tmp_path}'], isdir, 'run')
    with pytest.raises(
        FileNotFoundError, match="checkpoint 'nowhere.pth' does not exist: correct the path of NAME=CHECKPOINT"
    ):
        named_paths(['x=nowhere.pth'], isfile, 'checkpoint')


@pytest.mark.parametrize('number, code, name', [(signal.SIGTERM, 143, 'SIGTERM'), (signal.SIGINT, 130, 'Ctrl-C')])
def test_signals_end_a_tool_with_one_line(capsys, number, code, name):
    cleared = []

    @tool(go_on='--resume goes on')
    def main() -> None:
        try:
            os.kill(os.getpid(), number)
            time.sleep(60)
        except:  # noqa: E722  as libraries do
            cleared.append(1)
            raise SyntaxError('the config cannot be formatted')

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == code and cleared and signal.getsignal(signal.SIGTERM) is before
    assert capsys.readouterr().err.strip() == f'stopped by {name}; what is finished stays: --resume goes on'


def test_a_signal_while_an_error_is_told(monkeypatch, capsys):
    @tool
    def main() -> None:
        raise ValueError('a number must be positive, got 0')

    monkeypatch.setattr('topkd.cli.sentence', lambda error: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 143
    assert capsys.readouterr().err.strip() == 'stopped by SIGTERM; what is finished stays: give the same command again'


def test_a_tool_whose_output_nobody_reads_says_so():
    script = "from topkd.cli import tool\n@tool\ndef main(): print('found')\nmain()"
    reader, writer = os.pipe()
    os.close(reader)
    environment = {name: value for name, value in os.environ.items() if name != 'PYTHONUNBUFFERED'}
    ended = subprocess.run(
        [sys.executable, '-c', script], stdout=writer, stderr=subprocess.PIPE, text=True, env=environment
    )
    os.close(writer)
    said = without_warnings(ended.stderr)
    assert ended.returncode == 1 and said.startswith('error: the program that reads what is printed has ended:')
    assert len(said.splitlines()) == 1
