"""The student in a checkpoint: by itself, in a distillation, in a cohort."""

import pytest
import torch
from torch import nn

from topkd.utils.checkpoint import load_state, save_file
from topkd.utils.student_state import load_student, member_names, plain_state, student_path, student_state


def test_a_student_is_read_from_every_kind_of_file(tmp_path):
    weights = dict(weight=torch.tensor([[1.0, 2.0]]), bias=torch.tensor([3.0]))
    whole = {**{f'student.{key}': value for key, value in weights.items()}, 'losses.projection.weight': torch.zeros(1)}
    for name, content in dict(
        bare=weights, own=dict(state_dict=weights, meta={}), whole=dict(state_dict=whole)
    ).items():
        save_file(content, tmp_path / f'{name}.pth')
        assert set(load_state(str(tmp_path / f'{name}.pth'))) == set(whole if name == 'whole' else weights)
        network = nn.Linear(2, 1)
        load_student(network, str(tmp_path / f'{name}.pth'))
        assert all(torch.equal(value, weights[key]) for key, value in network.state_dict().items()), name
    with pytest.raises(
        ValueError, match=r"featurizer: checkpoint '.*bare.pth' does not fit Linear \(1 unexpected: bias\)"
    ):
        load_student(nn.Linear(2, 1, bias=False), str(tmp_path / 'bare.pth'), 'featurizer')


def test_a_member_of_a_cohort_is_named():
    state = {'members.KD.student.a': 1, 'members.plain.student.a': 2, 'members.KD.losses.b': 3}
    assert member_names(state) == ['KD', 'plain'] and member_names({'student.a': 1}) == []
    assert student_state(state, 'KD') == plain_state(state, 'KD') == dict(a=1)
    with pytest.raises(ValueError, match="holds the members KD, plain, got 'x': name one of them by --member"):
        student_state(state, 'x')
    with pytest.raises(ValueError, match='holds the members KD, plain, none was named'):
        plain_state(state)
    with pytest.raises(ValueError, match="holds no student .*no key begins with 'student.'"):
        student_state(dict(a=1))
    assert plain_state(dict(a=1)) == dict(a=1)


def test_names_of_files():
    assert student_path('run/epoch_3.pth') == 'run/student_epoch_3.pth'
    assert student_path('run/epoch_3.pth', 'KD') == 'run/student_KD_epoch_3.pth'
