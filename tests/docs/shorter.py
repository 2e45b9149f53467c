"""What shortens the commands of the pages that take hours: one epoch of few images, and plans in place of their runs."""

import re
from pathlib import Path

ONE = ['train_cfg.max_epochs=1']
UNTRAINED = 'model.teacher.floor=None'  # the teacher is random
CLOUDS = ['clouds.num_clouds=4', 'ripsnet.max_epochs=1', 'ripsnet.batch_size=1']
LITTLE_ROOM = [
    'train_dataloader.batch_size=4',
    'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0',
    'test_dataloader.num_workers=0',
    'model.losses.topology.cloud.num_points=4',
]
# by a part of the config's path, in this order: entries for the tools that read it
OPTIONS = {
    'topkd/resnet34-resnet18_imagenet_exact': [*ONE, UNTRAINED, *LITTLE_ROOM],
    'methods/crd_': [*ONE, UNTRAINED, 'model.losses.crd.num_negatives=8'],
    'topkd/resnet56-resnet20_cifar100.py': [*ONE, UNTRAINED, *CLOUDS],
    'transformers/': [*ONE, UNTRAINED, 'train_dataloader.batch_size=64', 'param_scheduler.1.begin=0'],
    'baselines/': ONE,
    'transfer/': ONE,
    '_cifar100': [*ONE, UNTRAINED],
}
TRAINS = ('train.py', 'gen_pi.py', 'train_ripsnet.py')


def shortened(words: list[str]) -> list[str]:
    """Return a command that does the same as another one, in seconds.

    Args:
        words (list[str]): ``python tools/TOOL.py ...`` or ``topkd TOOL ...``; other commands stay as they are.
    """
    tool = f'{words[1]}.py' if words[0] == 'topkd' else Path(words[1] if len(words) > 1 else '').name
    if tool == 'reproduce.py':
        planned = [*words, *(['--dry-run'] if '--dry-run' not in words else []), '--cfg-options', *CLOUDS]
        return ['cpu' if word == 'cuda' else word for word in planned]
    if tool == 'compare.py' and '--batch-sizes' not in words:
        return [*words, '--batch-sizes', '1']
    if tool not in TRAINS:
        return words
    options = next((entries for part, entries in OPTIONS.items() if part in words[2]), [])
    if '--cfg-options' not in words:
        return [*words, '--cfg-options', *options] if options else words
    place = words.index('--cfg-options') + 1
    return [*words[:place], *options, *words[place:]]


def under_last_epoch(folder: Path, epoch: int) -> None:
    """Give the checkpoints of the first epoch in all runs the name of the recipe's last one as well.

    Args:
        folder (Path): ``work_dirs``.
        epoch (int): The last one.
    """
    for path in folder.glob('*/*epoch_1.pth'):
        last = path.with_name(re.sub('epoch_1', f'epoch_{epoch}', path.name))
        last.unlink(missing_ok=True)
        last.symlink_to(path.name)
