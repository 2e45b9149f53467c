"""What reads, checks and runs the code blocks: it finds them all, and a mistake in one does not pass."""

import pytest
from check import check_command
from exceptions import CHECKED, report
from pages import Block, blocks
from shell import commands
from shorter import CLOUDS, shortened
from walk import WalkError, forked, run_command, walk

CONFIG = 'topkd::topkd/resnet20-resnet8_digits_exact.py'


def test_blocks_of_a_page():
    text = 'Words.\n\n```python\n# a.py\nx = 1\n```\n\n````bash\necho ```\n````\n'
    assert blocks('p.md', text) == [
        Block('p.md', 4, 'python', '# a.py\nx = 1\n'),
        Block('p.md', 9, 'bash', 'echo ```\n'),
    ]
    assert [block.file for block in blocks('p.md', text)] == ['a.py', None]


def test_commands_of_a_script():
    script = """
# a comment
C=x/y.py   # another
python a.py $C --n 1 && cp "a b" c > log | tail
for seed in 0 1; do
    OMP_NUM_THREADS=1 run \\
        --seed $seed ${seed}.txt
done
cat > file <<END
rm -rf everything
END
last; more &
"""
    assert commands(script) == [
        ['python', 'a.py', 'x/y.py', '--n', '1'],
        ['cp', 'a b', 'c'],
        ['tail'],
        ['run', '--seed', '0', '0.txt'],
        ['cat'],
        ['last'],
        ['more'],
    ]


@pytest.mark.parametrize(
    'command',
    [
        f'topkd train {CONFIG} --resume --cfg-options train_cfg.max_epochs=1',
        'python tools/reproduce.py study --jobs 2',
        'python -m pytest -q tests',
        'python run.py docs --serve',
        'pip install -e .[onedl,docs]',
        'python -c "print(1)"',
    ],
)
def test_right_commands_pass(command):
    check_command(commands(command)[0])


@pytest.mark.parametrize(
    'command, problem',
    [
        ('topkd trian x.py', '2'),
        (f'topkd train {CONFIG} --epochs 3', '2'),
        (f'topkd train {CONFIG} --cfg-options train_cfg.max_epoch=1', 'max_epoch'),
        ('topkd train topkd::topkd/nowhere.py', 'nowhere'),
        ('topkd train nowhere.py', 'there is no config nowhere.py'),
        ('topkd compare a=nowhere.py:x.pth', 'there is no config nowhere.py'),
        ('python tools/nothing.py', 'there is no tools/nothing.py'),
        ('python -m pytest tests/nothing', 'there is no'),
        ('python run.py nothing', 'no job'),
        ('pip install topkd[nothing]', 'no extra'),
        ('pip install -r requirements/nothing.txt', 'there is no'),
        ('python -c "print("', 'never closed'),
        ('frobnicate', 'nobody knows'),
    ],
)
def test_wrong_commands_do_not_pass(command, problem):
    with pytest.raises((Exception, SystemExit), match=problem):
        check_command(commands(command)[0])


@pytest.mark.parametrize(
    'text, problem',
    [
        ('```bash\ntopkd test nowhere.py x.pth\n```\n', "'topkd test nowhere.py x.pth' ended with 1"),
        ('```bash\nfalse\n```\n', "'false' ended with 1"),
        ('```python\n1 / 0\n```\n', 'p.md, line 2: ZeroDivisionError'),
        ('```python\n>>> 1 + 1\n3\n```\n', 'another answer'),
        ('```\nls\n```\n', 'a block without a language'),
        ("```python\n_base_ = 'topkd::nowhere.py'\n```\n", 'p.md, line 2'),
    ],
)
def test_a_block_that_fails_does_not_pass(text, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WalkError, match=problem):
        walk(blocks('p.md', text), run_command)


def test_blocks_share_names_and_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (
        '```python\n# a/b.py\nprint(open("in").read())\n```\n```python\nx = 2\n```\n```python\n'
        'open("in", "w").write(str(x))\n```\n```bash\npython a/b.py\n```\n```text\nanything\n```\n'
    )
    assert forked(lambda: walk(blocks('p.md', text), run_command), tmp_path / 'log') == 0
    assert (tmp_path / 'log').read_text() == '$ python a/b.py\n2\n'


def test_exceptions_are_reported():
    lines = report()
    assert 'docs/reliability.md: takes half an hour; tests/campaigns runs a short form (tests.campaigns)' in lines
    for page, parts in CHECKED.items():
        assert all(any(line.startswith(page) and part in line for line in lines) for part in parts)


@pytest.mark.parametrize(
    'command, shorter',
    [
        ('topkd train configs/baselines/x.py', ' --cfg-options train_cfg.max_epochs=1'),
        ('python tools/reproduce.py table6 --seeds 5', f' --dry-run --cfg-options {" ".join(CLOUDS)}'),
        ('python tools/compare.py a=x.py:x.pth', ' --batch-sizes 1'),
        ('python tools/test.py configs/baselines/x.py x.pth', ''),
        ('mkdir x', ''),
    ],
)
def test_commands_are_shortened(command, shorter):
    assert ' '.join(shortened(command.split())) == command + shorter


def test_entries_of_the_page_stay():
    words = shortened('python tools/train.py configs/baselines/x.py --cfg-options data_root=a --amp'.split())
    assert words[3:] == ['--cfg-options', 'train_cfg.max_epochs=1', 'data_root=a', '--amp']
