"""A table with some of its variants."""

import pytest

from topkd.reproduction.tables import TABLES


def names(table) -> list[str]:
    return [variant.name for variant in table.variants]


def test_plain_student_and_kd_stay_and_the_order_is_the_tables():
    assert names(TABLES['table1'].only(['topkd', 'CRD', 'at'])) == ['plain', 'KD', 'AT', 'CRD', 'TopKD']
    assert names(TABLES['table3'].only(['cat-kd', 'catkd'])) == ['plain', 'KD', 'CAT-KD']
    assert names(TABLES['table5'].only(['homology-1'])) == ['KD', 'homology-1']
    assert TABLES['table1'].only(['at']).pairs == TABLES['table1'].pairs


def test_what_an_analysis_looks_at_stays():
    assert names(TABLES['table20'].only(['kd'])) == ['plain', 'KD', 'TopKD'] == names(TABLES['digits'].only(['kd']))


def test_unknown_names():
    with pytest.raises(ValueError, match=r'--methods XKD: unknown in this table, which has plain, KD, no-kd, TopKD$'):
        TABLES['table6'].only(['XKD', 'kd'])
