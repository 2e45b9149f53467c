"""``topkd new-pair``: write the config of a teacher-student pair, and try it on a blank image."""

import argparse
import shlex
from pathlib import Path

from mmengine.config import Config

from topkd.cli import Parser, config_path, count, keep_inputs, tool
from topkd.command.classifier_pair import BATCH_SIZE as CLASSIFIER_BATCH_SIZE
from topkd.command.classifier_pair import classifier_pair
from topkd.command.config_files import SPLITS, data_roots, stem, written_file
from topkd.command.detector_config import BATCH_SIZE, is_detector
from topkd.command.detector_pair import detector_pair
from topkd.command.pair_trial import tried
from topkd.models.teacher import brings_weights
from topkd.utils.config import read_config

CLASSIFIER_LOSS = 'rtd_lite'  # the topology term that docs/study.md would try first
DETECTOR_LOSS = 'exact'


def arguments() -> argparse.Namespace:
    """Read the command line."""
    result = Parser(description=__doc__)
    result.add_argument('student', help="the student's own config: a file, or package::file")
    result.add_argument('teacher', help="the teacher's config: a file, or package::file")
    result.add_argument(
        '--checkpoint',
        help="the teacher's weights: a file or a URL (default: those that the network brings, such as timm's with "
        'pretrained=True, otherwise checkpoints/<teacher>.pth)',
    )
    result.add_argument(
        '--loss',
        help='exact (KD and exact images, nothing to prepare), topkd (with RipsNet, as in the paper), kd, of '
        'classifiers also rtd_lite, signature, sorted_deaths or sliced_wasserstein (KD and that distance), or another '
        'file of configs/_base_/losses without its ending, of detectors without _detection or _dense (default: '
        f'{CLASSIFIER_LOSS}, of detectors {DETECTOR_LOSS})',
    )
    result.add_argument('--data', help="folder of the data, in place of the student config's")
    result.add_argument(
        '--batch-size',
        type=count,
        help=f'images of a batch (default: {CLASSIFIER_BATCH_SIZE}, of detectors {BATCH_SIZE})',
    )
    result.add_argument('--out', type=config_path, help='file to write (default: <teacher>-<student>.py here)')
    result.add_argument('--force', action='store_true', help='write over a file that is there')
    return result.parse_args()


@tool
def new_pair() -> None:
    """Write a pair's config, build both networks from it, and say what comes next."""
    args = arguments()
    args.out = args.out or Path(f'{stem(args.teacher)}-{stem(args.student)}.py')
    keep_inputs(args.out, args.student, args.teacher)
    student = read_config(args.student)
    if args.checkpoint is None and not brings_weights(read_config(args.teacher).model):
        args.checkpoint = f'checkpoints/{stem(args.teacher)}.pth'
    of_detectors = _are_detectors(args, student)
    args.batch_size = args.batch_size or (BATCH_SIZE if of_detectors else CLASSIFIER_BATCH_SIZE)
    args.loss = args.loss or (DETECTOR_LOSS if of_detectors else CLASSIFIER_LOSS)
    written = (detector_pair if of_detectors else classifier_pair)(args, student)
    with written_file(args.out, written, args.force) as candidate:
        found = tried(candidate)
    print('\n'.join([written, f'written to {args.out}', *found, '', 'next:', *next_commands(args)]))


def _are_detectors(args: argparse.Namespace, student: Config) -> bool:
    """Tell whether a pair is of detectors, and refuse what is no pair of two plain networks of one kind."""
    models = {args.student: student.model, args.teacher: read_config(args.teacher).model}
    for config, model in models.items():
        if any(entry in model for entry in ('student', 'members', 'featurizer')):
            raise ValueError(
                f"'{config}' is no plain network's config, got {model.type}: name the config that it wraps"
            )
    kinds = {is_detector(model) for model in models.values()}
    if len(kinds) > 1:
        words = {True: 'a detector', False: 'a classifier'}
        said = ' and '.join(f'{words[is_detector(one)]} ({name})' for name, one in models.items())
        raise ValueError(f'student and teacher must be two classifiers or two detectors, got {said}: name another one')
    if args.data and not any(data_roots(student.get(f'{split}_dataloader')) for split in SPLITS):
        raise ValueError(f"--data has no effect, as no data set of '{args.student}' reads a folder: leave it out")
    return kinds == {True}


def next_commands(args: argparse.Namespace) -> list[str]:
    """List the commands that train the pair, in their order."""
    out = shlex.quote(str(args.out))
    ripsnet = [f'topkd gen-pi {out}', f'topkd train-ripsnet {out}'] if args.loss == 'topkd' else []
    missing = args.checkpoint is not None and '://' not in args.checkpoint and not Path(args.checkpoint).is_file()
    put = [f'put the weights of the teacher at {args.checkpoint}'] if missing else []
    return [*put, *ripsnet, f'topkd train {out}']
