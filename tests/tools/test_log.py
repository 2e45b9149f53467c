"""What the log of a training says of its terms is what they were."""

import json
import re
from pathlib import Path

import pytest

from topkd.utils.checkpoint import load_file


def test_shares_are_of_the_same_steps_as_the_losses_beside_them(call, digits_config, tmp_path):
    cfg = digits_config('kd/resnet20-resnet8_digits.py', **{'train_cfg.max_epochs': 1, 'model.gradient_interval': 3})
    cfg.train_dataloader.batch_size = 16  # 16 steps
    cfg.default_hooks.logger.interval = 8
    cfg.log_processor = dict(window_size=8)
    cfg.custom_hooks = [dict(type='topkd.ResultHook')]
    cfg.pop('work_dir')
    cfg.dump(tmp_path / 'pair.py')
    code, out, err = call('train.py', 'pair.py', '--work-dir', 'work')
    assert code == 0, err
    history = load_file('work/epoch_1.pth')['message_hub']['log_scalars']
    steps = {key: history[f'train/{key}'].data[0] for key in ('loss', 'loss_kd', 'share_kd', 'gradient_ratio_kd')}
    # a classifier calls its own term 'loss'
    assert steps['share_kd'] == pytest.approx(steps['loss_kd'] / (steps['loss'] + steps['loss_kd']), rel=1e-5)
    lines = [line for line in (out + err).splitlines() if 'Epoch(train)' in line]
    said = [dict(re.findall(r'(\w+): ([\d.]+)', line)) for line in lines]
    assert len(said) == 2 and len(steps['gradient_ratio_kd']) == 6
    for number, words in enumerate(said):
        window = slice(8 * number, 8 * number + 8)
        for key in ('loss', 'loss_kd', 'share_kd'):
            assert float(words[key]) == pytest.approx(steps[key][window].mean(), abs=6e-5)
        measured = steps['gradient_ratio_kd'][2 if number == 0 else 5]  # of steps 7 and 16
        assert float(words['gradient_ratio_kd']) == pytest.approx(measured, abs=6e-5)
    written = next(Path('work').glob('*/vis_data/scalars.json')).read_text().splitlines()
    assert json.loads(written[0])['share_kd'] == pytest.approx(steps['share_kd'][:8].mean())
