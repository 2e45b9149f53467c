"""Networks of timm, HuggingFace, torchvision and of any import path: as students, as teachers, exported, resumed."""

import copy
import logging

import pytest
import small
import torch
import torchvision
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS
from mmengine.runner.checkpoint import get_state_dict, load_state_dict
from torch import nn

from topkd.models.taps.tap import reach
from topkd.models.teacher import Teacher
from topkd.preflight.findings import Findings
from topkd.preflight.networks import check_pretrained, check_teacher
from topkd.utils.checkpoint import load_weights
from topkd.utils.student_export import select_weights

TIMM = dict(type='topkd.TimmClassifier', model_name='vit_tiny_patch16_224', img_size=16, patch_size=4, depth=2)
TIMM.update(embed_dim=24, num_heads=2, num_classes=10)
MODULE = dict(type='topkd.ModuleClassifier', module='torchvision.models.shufflenet_v2_x0_5', num_classes=10)
PREPROCESSOR = small.classifier()['data_preprocessor']
LOSSES = dict(
    kd=dict(type='KDLoss', student_tap='@logits', teacher_tap='@logits'),
    topology=dict(
        type='TopologyLoss',
        student_tap='@pooled',
        teacher_tap='@pooled',
        cloud=dict(type='BatchCloud', num_points=8),
        vectorizer=dict(type='RipsImage', fit_batches=2),
    ),
    at=dict(type='ATLoss', student_tap='@maps[0]', teacher_tap='@maps[0]'),
)


@pytest.fixture
def huggingface(tmp_path):
    """Write the config and the weights of a small ViT as the hub has them; return the classifier's config."""
    transformers = pytest.importorskip('transformers', reason='transformers is not installed')
    config = transformers.ViTConfig(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=16,
        patch_size=4,
        num_labels=10,
    )
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path / 'hub')
    return dict(type='topkd.HuggingFaceClassifier', model_name=str(tmp_path / 'hub'), pretrained=True)


def network(name, request):
    """Return the config of a student."""
    if name == 'timm':
        pytest.importorskip('timm', reason='timm is not installed')
        return copy.deepcopy(TIMM)
    return request.getfixturevalue('huggingface') if name == 'huggingface' else copy.deepcopy(MODULE)


def distiller(student, teacher):
    return small.build(
        dict(
            type='topkd.Distiller',
            student=dict(student, data_preprocessor=PREPROCESSOR),
            teacher=dict(model=teacher, checkpoint=None),
            losses=LOSSES,
            probe_shape=(3, 16, 16),
        )
    )


@pytest.mark.parametrize('name', ['timm', 'huggingface', 'module'])
@pytest.mark.parametrize('role', ['student', 'teacher'])
def test_pair_with_a_cnn_steps(name, role, request):
    cnn, other = small.classifier(), network(name, request)
    torch.manual_seed(0)
    model = distiller(*((other, cnn) if role == 'student' else (cnn, other)))
    model.train()
    wrapper = build_optim_wrapper(model, dict(optimizer=dict(type='SGD', lr=0.01)))
    before = [parameter.detach().clone() for parameter in model.student.parameters()]
    logs = model.train_step(small.batch(), wrapper)
    assert all(value.isfinite() for value in logs.values())
    assert logs['loss_at'] > 0 and 'loss_topology' in logs
    moved = [not torch.equal(old, new) for old, new in zip(before, model.student.parameters())]
    assert sum(moved) > 0.9 * len(moved)
    assert len(model.val_step(small.batch())) == 8


@pytest.mark.parametrize('name', ['timm', 'huggingface', 'module'])
def test_checkpoint_has_the_names_of_the_library_and_is_resumed(name, request):
    config, cnn = network(name, request), small.classifier()
    model = distiller(config, cnn)
    saved = get_state_dict(model)
    plain = MODELS.build(config)
    exported = select_weights(dict(state_dict=saved), 'raw')
    assert set(exported) == set(plain.model.state_dict()) == set(plain.state_dict())
    plain.model.load_state_dict(exported)
    load_weights(MODELS.build(config), 'student.pth', weights=exported)
    assert list(model.state_dict()) and set(model.state_dict()) == set(saved)

    other = distiller(config, cnn)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.fill_(0.5)
    load_state_dict(other, saved, strict=True)
    images = torch.rand(2, 3, 16, 16)
    assert torch.equal(other.eval()(images), model.eval()(images))


def test_mmpretrains_own_class_is_resumed_too():
    pytest.importorskip('timm', reason='timm is not installed')
    model = distiller(dict(TIMM, type='mmpretrain.TimmClassifier'), small.classifier())
    saved = model.state_dict()
    assert 'student.pos_embed' in saved and not any('student.model' in key for key in saved)
    model.load_state_dict(saved, strict=True)


def test_weights_of_a_library_stay(monkeypatch, tmp_path):
    """Pretrained weights come from a file in place of the hub, and survive MMEngine's initialization."""
    timm = pytest.importorskip('timm', reason='timm is not installed')
    name, changes = 'resnet18', dict(num_classes=1000)
    torch.save(timm.create_model(name, **changes).state_dict(), tmp_path / 'hub.pth')
    file = dict(pretrained=True, pretrained_cfg_overlay=dict(file=str(tmp_path / 'hub.pth')))
    weights = torch.load(tmp_path / 'hub.pth', weights_only=True)
    kept = MODELS.build(dict(type='topkd.TimmClassifier', model_name=name, **file))
    kept.init_weights()
    assert all(torch.equal(kept.state_dict()[key], value) for key, value in weights.items())
    lost = MODELS.build(dict(type='mmpretrain.TimmClassifier', model_name=name, **file))
    lost.init_weights()
    assert not all(torch.equal(lost.state_dict()[key], value) for key, value in weights.items())
    for kind in ('topkd.TimmClassifier', 'mmpretrain.TimmClassifier'):  # a teacher is never initialized anew
        teacher = Teacher(model=dict(type=kind, model_name=name, **file))
        found = teacher.module.state_dict()
        assert all(torch.equal(found[key], value) for key, value in weights.items())


def test_hub_weights_of_huggingface_stay(huggingface):
    teacher = Teacher(model=huggingface)
    again = MODELS.build(huggingface)
    again.init_weights()
    for key, value in teacher.module.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)


def test_torchvision_loads_in_torchvision():
    classifier = MODELS.build(MODULE).eval()
    plain = torchvision.models.shufflenet_v2_x0_5(num_classes=10).eval()
    plain.load_state_dict(classifier.state_dict())
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(plain(images), classifier(images))
    classifier.load_state_dict(torchvision.models.shufflenet_v2_x0_5(num_classes=10).state_dict())


class Parts(nn.Module):
    """Return logits among other things, as HuggingFace's models and GoogLeNet do."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes))

    def forward(self, images):
        return torchvision.models.GoogLeNetOutputs(self.model(images), None, None)


def test_outputs_with_logits_among_them():
    classifier = MODELS.build(dict(type='topkd.ModuleClassifier', module=Parts, classes=7))
    assert classifier(torch.rand(2, 3, 16, 16)).shape == (2, 7)
    assert set(classifier.state_dict()) == set(Parts().state_dict())
    classifier.load_state_dict(classifier.state_dict())


@pytest.mark.parametrize(
    'module, error, message',
    [
        (
            'torchvision.models.resnet17',
            ValueError,
            "module 'torchvision.models.resnet17' cannot be imported .*resnet17",
        ),
        ('no_such.package', ValueError, "module 'no_such.package' cannot be imported"),
        ('torch.pi', TypeError, "module 'torch.pi' is a float: name a class or function"),
        ('builtins.dict', TypeError, "module 'builtins.dict' makes a dict, expected an nn.Module"),
    ],
)
def test_wrong_paths(module, error, message):
    with pytest.raises(error, match=message):
        MODELS.build(dict(type='topkd.ModuleClassifier', module=module))


def test_module_that_does_not_classify():
    classifier = MODELS.build(dict(type='topkd.ModuleClassifier', module='torch.nn.Identity'))
    with pytest.raises(TypeError, match='Identity must return logits \\(N, K\\), .* got \\(2, 3, 8, 8\\)'):
        classifier(torch.rand(2, 3, 8, 8))


def test_forgotten_checkpoint():
    with pytest.raises(ValueError, match="teacher 'big' has no checkpoint and its network brings no weights"):
        Teacher(model=small.classifier(), name='big')
    findings = Findings()
    check_teacher(dict(model=small.classifier(), name='big'), findings)
    check_teacher(dict(model=dict(TIMM, pretrained=True)), findings)
    assert len(findings.problems) == 1 and "teacher 'big' has no checkpoint" in findings.problems[0]


def test_random_teacher_on_request(caplog):
    with caplog.at_level(logging.WARNING):
        Teacher(checkpoint=None, model=small.classifier())


def test_student_that_would_lose_its_weights_is_refused_before_the_start():
    findings = Findings()
    kept, lost = (dict(TIMM, type=kind, pretrained=True) for kind in ('topkd.TimmClassifier', 'TimmClassifier'))
    for student in (kept, lost):
        check_pretrained(Config(dict(model=dict(type='topkd.Distiller', student=student))), findings)
    assert findings.problems == [
        'model.student would lose its pretrained weights, as MMEngine has TimmClassifier initialize its model anew: '
        "write type='topkd.TimmClassifier', which keeps them"
    ]


def test_teacher_of_another_input_size():
    pytest.importorskip('timm', reason='timm is not installed')
    config = dict(TIMM, img_size=32, patch_size=8)
    teacher = dict(model=config, checkpoint=None, input_size=(32, 32))
    model = small.build(small.distiller(student=small.classifier(), teacher=teacher, losses=LOSSES))
    data = model.data_preprocessor(small.batch(), True)
    assert model(**data, mode='loss')['loss_kd'].isfinite()


def test_features_of_a_found_tap_are_the_classifiers_input():
    pytest.importorskip('timm', reason='timm is not installed')
    classifier = MODELS.build(TIMM).eval()
    images = torch.rand(2, 3, 16, 16)
    features = reach(classifier, images, ['model.head(0)', 'model.head', 'model.norm:cls'])
    assert torch.equal(classifier.model.head(features['model.head(0)']), features['model.head'])
    assert torch.equal(features['model.head(0)'], features['model.norm:cls'])
