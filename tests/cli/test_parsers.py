"""Arguments that the tools share."""

import pytest

from topkd.cli import analysis_parser, parser


def test_analyses_run_in_one_process():
    assert parser('x').parse_args(['c.py', '--launcher', 'pytorch']).launcher == 'pytorch'
    alone = analysis_parser('x').parse_args(['c.py', 'a.pth', '--batches', '3'])
    assert (alone.launcher, alone.local_rank, alone.batches) == ('none', 0, 3)


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
