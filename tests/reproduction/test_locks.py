"""Folders of jobs that one process at a time writes to."""

import pytest

from topkd.reproduction.locks import hold, is_held
from topkd.utils.lock import working_in


def test_the_tool_of_a_job_takes_its_own_lock_inside_the_jobs(tmp_path):
    with hold([tmp_path], pytest.fail):
        with working_in(tmp_path, 'training', wait=False):
            assert is_held(tmp_path)
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
