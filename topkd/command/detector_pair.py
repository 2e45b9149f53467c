"""The config of a new pair of detectors."""

import argparse

from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from topkd.command.coco_folder import coco_folder
from topkd.command.config_files import SPLITS, data_roots
from topkd.command.detector_config import batch_words, class_changes, class_paths, data_lines, hook_lines, loss_lines
from topkd.command.pair_text import pair_text, teacher_arguments
from topkd.models.taps.detector_taps import detector_taps
from topkd.utils.config import read_config, with_preprocessor

HOOKS = ('CategoryCheckHook', 'StudentCheckpointHook')


def detector_pair(args: argparse.Namespace, student: Config) -> str:
    """Write the config of a pair of detectors.

    Args:
        args (argparse.Namespace): Of ``topkd new-pair``; ``out`` and ``checkpoint`` are set.
        student (Config): The student's own config.

    Returns:
        str: A text config.
    """
    init_default_scope(student.get('default_scope', 'mmdet'))
    taps = detector_taps(MODELS.build(with_preprocessor(student.model, student)))
    file, losses = loss_lines(args.loss, taps)
    teacher = teacher_arguments(args)
    data, network = [f'train_dataloader = dict({", ".join(batch_words(student.train_dataloader))})'], '_base_.model'
    if args.data:
        folder = coco_folder(args.data)
        roots = {split: data_roots(student[f'{split}_dataloader']) for split in SPLITS}
        data = data_lines(student, folder, roots)
        network = f'dict(_base_.model, {class_changes(student.model, network)})'
        heads = class_paths(read_config(args.teacher).model)
        teacher['cfg_options'] = {'.'.join(['model', *path, 'num_classes']): len(folder.classes) for path in heads}
    hooks = hook_lines(student, HOOKS)
    return pair_text(args, file, [*data, *losses], teacher, network, hooks)
