"""A linear probe: the features are the student's own, only the head learns, and a checkpoint is complete."""

import copy
from pathlib import Path

import pytest
import torch
from image_folders import picture
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS
from mmengine.runner.checkpoint import get_state_dict
from small import batch, build, classifier, distiller

from topkd.models import LinearProbe
from topkd.models.linear_probe import as_buffers
from topkd.models.taps.tap import reach
from topkd.utils.checkpoint import save_file

ROOT = Path(__file__).resolve().parent.parent.parent
PREPROCESSOR = dict(type='topkd.ImageBatchPreprocessor', mean=[127.5] * 3, std=[127.5] * 3)


@pytest.fixture
def files(tmp_path):
    """Write a distillation's config and checkpoint, the student's, and a plain classifier's config and checkpoint."""
    torch.manual_seed(1)
    config = distiller()
    model = build(config)
    model.student.init_weights()
    for _ in range(5):  # running statistics, so that eval mode is another function than train mode
        model.student.train()(torch.randn(16, 3, 16, 16))
    Config(dict(model=config)).dump(tmp_path / 'pair.py')
    plain = classifier(4)
    preprocessor = plain.pop('data_preprocessor')
    Config(dict(model=plain, data_preprocessor=preprocessor)).dump(tmp_path / 'plain.py')
    save_file(dict(state_dict=model.state_dict()), tmp_path / 'epoch_1.pth')
    save_file(dict(state_dict=model.student.state_dict()), tmp_path / 'student_epoch_1.pth')
    save_file(dict(model.student.state_dict()), tmp_path / 'bare.pth')
    return tmp_path, model.student.eval()


def probe(folder, config='pair.py', checkpoint='epoch_1.pth', preprocessor=PREPROCESSOR, **changes):
    arguments = dict(
        featurizer=dict(config=str(folder / config), checkpoint=str(folder / checkpoint)),
        head=dict(type='LinearClsHead', num_classes=5, topk=(1,)),
        data_preprocessor=dict(preprocessor),
        probe_shape=(3, 16, 16),
    )
    arguments.update(changes)
    return LinearProbe(**copy.deepcopy(arguments))


@pytest.mark.parametrize('config', ['pair.py', 'plain.py'])
@pytest.mark.parametrize('checkpoint', ['epoch_1.pth', 'student_epoch_1.pth', 'bare.pth'])
def test_features_are_the_students_own(files, config, checkpoint):
    folder, student = files
    model = probe(folder, config, checkpoint)
    model.init_weights()
    images = batch()
    data = model.data_preprocessor(images)
    expected = reach(student, student.data_preprocessor(images)['inputs'], ['neck[0]'])['neck[0]']
    for training in (True, False):
        model.train(training)
        features = model.features(data['inputs'])
        assert torch.equal(features, expected) and not features.requires_grad
    assert expected.std() > 0.01
    # the head is nothing but a linear map of them
    weight, bias = model.head.fc.weight, model.head.fc.bias
    torch.testing.assert_close(model(data['inputs']), expected @ weight.T + bias)
    assert weight.shape == (5, 16)


def test_only_the_head_learns(files):
    folder, student = files
    model = probe(folder)
    model.init_weights()
    assert [name for name, _ in model.named_parameters()] == ['head.fc.weight', 'head.fc.bias']
    wrapper = build_optim_wrapper(model, dict(optimizer=dict(type='SGD', lr=0.5, momentum=0.9, weight_decay=0.01)))
    assert [len(group['params']) for group in wrapper.optimizer.param_groups] in ([2], [1, 1])
    model.train()
    assert model.head.training and not any(module.training for module in model.featurizer.modules())
    labels = torch.arange(20) % 5
    pixels = [torch.from_numpy(picture(int(label), number, 16, 16)) for number, label in enumerate(labels)]
    images = dict(inputs=torch.stack(pixels).permute(0, 3, 1, 2), gt_label=labels)
    losses = [model.train_step(images, wrapper)['loss'].item() for _ in range(60)]
    assert losses[-1] < 0.5 * losses[0]
    for name, tensor in student.state_dict().items():
        assert torch.equal(model.featurizer.state_dict()[name], tensor), name
    predictions = model.eval().val_step(images)
    logits = model(model.data_preprocessor(images)['inputs'])
    assert [sample.pred_label.item() for sample in predictions] == logits.argmax(1).tolist()


def test_gradient_is_that_of_logistic_regression(files):
    folder, student = files
    model = probe(folder)
    model.init_weights()
    images = batch(8, classes=5)
    data = model.data_preprocessor(images)
    model(**data, mode='loss')['loss'].backward()
    features = reach(student, data['inputs'], ['neck[0]'])['neck[0]'].detach()
    residual = (features @ model.head.fc.weight.T + model.head.fc.bias).softmax(1)
    residual[torch.arange(8), images['gt_label']] -= 1
    torch.testing.assert_close(model.head.fc.weight.grad, residual.T @ features / 8)


def test_a_checkpoint_is_complete(files):
    """What MMEngine saves loads strictly in a probe whose featurizer's file is gone."""
    folder, student = files
    model = probe(folder)
    model.init_weights()
    state = get_state_dict(model)
    assert {name for name in state if not name.startswith('head')} == {
        f'featurizer.{name}' for name in student.state_dict()
    }
    (folder / 'epoch_1.pth').unlink()
    other = probe(folder)
    other.load_state_dict(state, strict=True)
    inputs = torch.randn(2, 3, 16, 16)
    assert torch.equal(other.eval()(inputs), model.eval()(inputs))
    assert torch.equal(copy.deepcopy(model)(inputs), model(inputs))


def test_featurizer_has_its_own_normalization(files):
    folder, student = files
    model = probe(
        folder, preprocessor=dict(type='topkd.ImageBatchPreprocessor', mean=[10.0, 20, 30], std=[60.0, 50, 40])
    )
    model.init_weights()
    images = batch()
    expected = reach(student, student.data_preprocessor(images)['inputs'], ['neck[0]'])['neck[0]']
    torch.testing.assert_close(
        model.features(model.data_preprocessor(images)['inputs']), expected, rtol=1e-4, atol=1e-5
    )


def test_maps_are_averaged(files):
    folder, student = files
    featurizer = dict(config=str(folder / 'pair.py'), checkpoint=str(folder / 'bare.pth'), tap='backbone.layer2')
    model = probe(folder, featurizer=featurizer)
    model.init_weights()
    inputs = torch.randn(2, 3, 16, 16)
    expected = reach(student, inputs, ['backbone.layer2'])['backbone.layer2'].mean(dim=(2, 3))
    assert torch.equal(model._features(inputs), expected) and model.head.in_channels == expected.shape[1] == 8


def test_mistakes(files):
    folder, student = files
    model = probe(folder, checkpoint='none.pth')
    with pytest.raises(
        FileNotFoundError, match="the featurizer's checkpoint '.*none.pth' does not exist: train its config first"
    ):
        model.init_weights()
    with pytest.raises(FileNotFoundError, match="config '.*none.py' does not exist"):
        probe(folder, config='none.py')
    with pytest.raises(KeyError, match="entries 'config', 'checkpoint' and 'tap', got config, weights"):
        probe(folder, featurizer=dict(config='a.py', weights='b.pth'))
    with pytest.raises(
        ValueError, match=r"head\.in_channels is 7, the features 'neck\[0\]' have width 16: leave the entry out"
    ):
        probe(folder, head=dict(type='LinearClsHead', num_classes=5, in_channels=7))
    save_file(dict(state_dict=build(classifier(8)).state_dict()), folder / 'wide.pth')
    with pytest.raises(
        ValueError, match=r"featurizer: checkpoint '.*wide\.pth' does not fit ImageClassifier \(\d+ of another shape"
    ):
        probe(folder, checkpoint='wide.pth').init_weights()


def test_buffers_compute_what_parameters_did():
    torch.manual_seed(0)
    network = build(classifier()).eval()
    inputs = torch.randn(2, 3, 16, 16)
    expected, state = network(inputs).detach(), {name: tensor.clone() for name, tensor in network.state_dict().items()}
    frozen = as_buffers(network)
    assert list(frozen.parameters()) == [] and set(frozen.state_dict()) == set(state)
    assert torch.equal(frozen(inputs), expected)
    frozen.load_state_dict({name: torch.zeros_like(tensor) for name, tensor in state.items()}, strict=True)
    assert frozen(inputs).abs().max() == 0
    assert frozen.double().backbone.stem.conv.weight.dtype == torch.float64


@pytest.mark.parametrize('name, classes', [('stl10', 10), ('tiny-imagenet', 200)])
def test_shipped_configs(name, classes):
    cfg = Config.fromfile(ROOT / f'configs/transfer/{name}.py')
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    assert model.head.fc.weight.shape == (classes, 64)
    assert (
        cfg.train_dataloader.dataset.size == cfg.val_dataloader.dataset.size == cfg.test_dataloader.dataset.size == 32
    )
    assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=0.1, momentum=0.9, nesterov=True)
    assert cfg.param_scheduler.milestones == [30, 60, 90] and cfg.train_cfg.max_epochs == 100
