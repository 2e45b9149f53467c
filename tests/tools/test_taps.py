"""tools/taps.py: what it lists of classifiers, transformers and detectors, and what it says of taps that are not there."""

import in_process

CONFIGS = in_process.ROOT / 'configs'
PAIR = CONFIGS / 'methods' / 'at_resnet56-resnet20_cifar100.py'


def row(out, tap):
    """Return the words of the line of a tap."""
    return ' '.join(next(line.split() for line in out.splitlines() if line.startswith(f'  {tap} ')))


def test_both_networks_of_a_pair(call):
    code, out, err = call('taps.py', PAIR, '--depth', '2', '--size', '32')
    assert code == 0, err
    student, teacher = out.split('teacher:')
    assert 'student: ImageClassifier, shown an image of 32 x 32' in student
    assert row(student, 'backbone.layer2') == 'backbone.layer2 Sequential (1, 32, 16, 16) at, @maps'
    assert row(teacher, 'neck[0]') == 'neck[0] GlobalAveragePooling (1, 64) @pooled'
    assert "loss 'at' taps backbone.layer1 (1, 16, 32, 32), backbone.layer2 (1, 32, 16, 16)" in student
    assert '@logits          head.fc (1, 100)' in student
    assert row(student, 'head.loss_module') == 'head.loss_module CrossEntropyLoss not run'
    assert 'backbone.layer1.0' not in out


def test_filter_and_missing_taps(call, tmp_path):
    (tmp_path / 'pair.py').write_text(
        f"_base_ = ['{PAIR}']\nmodel = dict(losses=dict(at=dict(teacher_tap=['backbone.layer9'])))\n"
    )
    code, out, err = call('taps.py', 'pair.py', '--filter', 'downsample')
    assert code == 0, err
    student, teacher = out.split('teacher:')
    assert "MISSING  loss 'at': tap 'backbone.layer9': CIFARResNet has no module 'layer9'" in teacher
    assert 'MISSING' not in student and row(student, 'backbone.layer2.0.downsample').startswith(
        'backbone.layer2.0.downsample Sequential'
    )
    assert 'backbone.layer2.1' not in student


def test_transformer(call, tmp_path):
    (tmp_path / 'vit.py').write_text(
        "default_scope = 'mmpretrain'\n"
        "model = dict(type='ImageClassifier', backbone=dict(type='VisionTransformer', img_size=32, patch_size=8,\n"
        '    arch=dict(embed_dims=16, num_layers=4, num_heads=2, feedforward_channels=32),\n'
        "    init_cfg=dict(type='Pretrained', checkpoint='nowhere.pth')),\n"
        "    head=dict(type='VisionTransformerClsHead', num_classes=7, in_channels=16))\n"
    )
    code, out, err = call('taps.py', 'vit.py', '--depth', '3')
    assert code == 0, err
    assert 'network: ImageClassifier, shown an image of 32 x 32' in out
    assert '@pooled          head.layers.head(0) (1, 16)' in out
    assert '@last_map        backbone.layers.3:map (1, 16, 4, 4)' in out
    assert row(out, 'backbone.layers.3') == 'backbone.layers.3 TransformerEncoderLayer (1, 17, 16) @maps, @last_map'
    assert row(out, 'backbone.patch_embed[0]') == 'backbone.patch_embed[0] PatchEmbed (1, 16, 16) @stem'


def test_two_stage_detector(call, tmp_path):
    base = CONFIGS / 'topkd' / 'faster-rcnn_r18w32-r18w16_digit-scenes_exact.py'
    code, out, err = call('taps.py', base, '--filter', 'head')
    assert code == 0, err
    student = out.split('teacher:')[0]
    assert 'runs 5 times' in row(student, 'rpn_head.rpn_conv')
    assert 'kd' in row(student, 'roi_head.bbox_head.fc_cls')
    assert 'rpn_head[0][1]' in student and '@pooled' not in student


def test_wrong_arguments(call):
    assert 'expected one or two numbers, got 3' in call('taps.py', PAIR, '--size', '1', '2', '3')[2]
    code, _, err = call('taps.py', CONFIGS / 'cohorts' / 'resnet20-resnet8_digits.py')
    assert code == 1 and 'name one of them by --member' in err
    code, _, err = call('taps.py', CONFIGS / 'baselines' / 'resnet8_digits.py', '--member', 'KD')
    assert code == 1 and "the config trains no cohort, so that it has no member, got 'KD': leave out --member" in err
