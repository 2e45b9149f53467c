"""The config that a command line names."""

import pytest

from topkd.cli import load_config, parser


@pytest.mark.parametrize('folder', ['3', "''", '[]'])
def test_a_work_directory_that_is_no_name(tmp_path, folder):
    (tmp_path / 'c.py').write_text(f'work_dir = {folder}\n')
    with pytest.raises(TypeError, match='work_dir must be the name of a folder, got .*: correct it in the config'):
        load_config(parser('x').parse_args([str(tmp_path / 'c.py')]))


def test_a_default_scope_that_is_no_name(tmp_path):
    (tmp_path / 'c.py').write_text('default_scope = 3\n')
    with pytest.raises(TypeError, match='default_scope must be the name of a package, got 3: correct it in the config'):
        load_config(parser('x').parse_args([str(tmp_path / 'c.py')]))
