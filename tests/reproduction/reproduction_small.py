"""A table of one small pair that the tests of this folder share."""

from pathlib import Path

from topkd.reproduction.tables import KD, STUDENT, TOPKD, Table, ablation

CONFIGS = Path(__file__).resolve().parent.parent.parent / 'configs'
DIGITS = 'resnet20-resnet8_digits'
TABLE = Table('small', (DIGITS,), (STUDENT, KD, ablation('no-kd', 'CE + Top'), TOPKD))
