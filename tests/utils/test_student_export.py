"""The student in an unmodified config of the host toolbox."""

import copy

import pytest
import torch
from mmengine.hub import get_config
from mmengine.registry import MODELS
from small import build, classifier

from topkd.utils.checkpoint import load_weights, save_file
from topkd.utils.student_export import export_student, outputs, select_weights

HOST = 'mmpretrain::resnet/resnet18_8xb16_cifar10.py'


def test_student_of_the_host_toolbox_loads_in_its_own_unmodified_config(tmp_path):
    host = get_config(HOST)
    cfg = get_config(HOST)
    cfg.model = dict(
        type='topkd.Distiller',
        student=copy.deepcopy(host.model),
        teacher=dict(name='small', model=classifier(8), checkpoint=None),
        losses=dict(
            kd=dict(type='KDLoss'), topology=dict(type='TopologyLoss', cloud=dict(type='BatchCloud', num_points=4))
        ),
    )
    model_config = copy.deepcopy(cfg.model)
    model_config['data_preprocessor'] = cfg.data_preprocessor
    torch.manual_seed(0)
    model = build(model_config)
    model.init_weights()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    save_file(dict(state_dict=model.state_dict(), meta=dict(epoch=1)), tmp_path / 'epoch_1.pth')
    assert export_student(cfg, str(tmp_path / 'epoch_1.pth'), str(tmp_path / 'student.pth'), target=host) == 0
    plain = MODELS.build(dict(host.model, data_preprocessor=host.data_preprocessor))
    load_weights(plain, tmp_path / 'student.pth')
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(outputs(plain, images), outputs(model.student, images))


@pytest.mark.parametrize('name', ['state_dict', 'ema_state_dict'])
def test_a_checkpoint_whose_weights_are_none(name):
    whole = dict(state_dict={'student.a': torch.ones(1)}, ema_state_dict={'module.student.a': torch.ones(1)})
    assert select_weights(whole, 'raw')['a'] == 1
    with pytest.raises(ValueError, match='the checkpoint holds no weights: name the checkpoint of a network'):
        select_weights(dict(whole, **{name: [1, 2]}), 'raw')
