"""Cells of the tables."""

import pytest

from topkd.reproduction import markdown


@pytest.mark.parametrize('value, text', [(-0.0004, '+0.00'), (0.0, '+0.00'), (-0.0051, '-0.01'), (None, '-')])
def test_no_difference_has_no_minus_sign(value, text):
    assert markdown._number(value, 2, sign=True) == text
