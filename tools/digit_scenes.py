#!/usr/bin/env python3
"""Detection on scenes of handwritten digits: data, teacher, plain student, TopKD student, a table and a picture."""

import argparse
import json
import os.path as osp
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from make_digit_scenes import holds, make_digit_scenes
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

import topkd  # noqa: F401
from topkd.cli import tool
from topkd.hooks import student_path
from topkd.utils.config import merge_cfg_options

CONFIGS = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'configs')
RUNS = {
    'teacher': 'baselines/faster-rcnn_r18w32_digit-scenes.py',
    'plain student': 'baselines/faster-rcnn_r18w16_digit-scenes.py',
    'TopKD student': 'topkd/faster-rcnn_r18w32-r18w16_digit-scenes_exact.py',
}
# pycocotools' summary: average precision over IoU 0.5 to 0.95, at 0.5, at 0.75, and by the objects' size
COLUMNS = dict(AP='', AP50='_50', AP75='_75', APs='_s', APm='_m', APl='_l')
GREEN, COLOR = (60, 200, 60), (40, 60, 255)  # BGR, of annotated and of detected boxes
BEGIN = time.time()


def say(text: str) -> None:
    """Print a line of progress with the time since the start."""
    print(f'[{time.time() - BEGIN:5.0f} s] {text}', flush=True)


class Progress(Hook):
    """Print a line now and then instead of MMEngine's log.

    Args:
        name (str): What is trained.
        interval (int): Iterations between two lines. Defaults to 50.
    """

    def __init__(self, name: str, interval: int = 50) -> None:
        self.name, self.interval = name, interval

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict = None, outputs: dict = None) -> None:
        """Print the total loss and the distillation terms."""
        if (runner.iter + 1) % self.interval == 0:
            shown = [
                f'{key} {outputs[key].item():.4f}' for key in ('loss', 'loss_kd', 'loss_topology') if key in outputs
            ]
            say(f'{self.name}: iteration {runner.iter + 1} of {runner.max_iters}, {", ".join(shown)}')


def read_config(name: str, data: str, work_dir: str, seed: int, quick: bool) -> Config:
    """Read the config of one run and set where it runs, on which scenes and from which seed."""
    cfg = merge_cfg_options(Config.fromfile(osp.join(CONFIGS, RUNS[name])), dict(data_root=data))
    cfg.work_dir, cfg.launcher, cfg.randomness = work_dir, 'none', dict(seed=seed)
    cfg.log_level = 'WARNING'
    cfg.experiment_name = f'{Path(work_dir).name}_{time.time_ns()}'
    if quick:
        cfg.merge_from_dict({'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 1})
    return cfg


def train(name: str, cfg: Config) -> dict[str, dict]:
    """Train one detector, unless its results are already there.

    Returns:
        dict: Content of ``results.json``.
    """
    path = osp.join(cfg.work_dir, 'results.json')
    if not osp.isfile(path):
        runner = Runner.from_cfg(cfg)
        runner.register_hook(Progress(name))
        runner.train()
    with open(path) as file:
        results = json.load(file)
    say(f'{name}: AP {results["last"]["coco/bbox_mAP"]:.3f}')
    return results


def table(results: dict[str, dict]) -> str:
    """Format pycocotools' figures as the closing table; a size without objects has none."""
    lines = [f'{"detector":<16}' + ''.join(f'{column:>8}' for column in COLUMNS)]
    lines.append('-' * len(lines[0]))
    for name, result in results.items():
        values = [result['last'][f'coco/bbox_mAP{suffix}'] for suffix in COLUMNS.values()]
        lines.append(f'{name:<16}' + ''.join(f'{value:8.3f}' if value >= 0 else f'{"-":>8}' for value in values))
    return '\n'.join(lines)


def picture(detectors: dict[str, tuple], data: str, scenes: int, path: str) -> None:
    """Draw what the detectors find in validation scenes, one row a detector below the annotated scenes.

    Args:
        detectors (dict): Config and checkpoint by name.
        data (str): Folder of the scenes.
        scenes (int): How many columns.
        path (str): PNG to write.
    """
    from mmdet.apis import inference_detector, init_detector

    content = json.loads(Path(data, 'annotations', 'instances_val.json').read_text())
    names = [category['name'] for category in content['categories']]
    shown = content['images'][:scenes]
    images = [cv2.imread(osp.join(data, 'val', image['file_name'])) for image in shown]
    annotated: list[np.ndarray] = []
    for entry, image in zip(shown, images):
        objects = [a for a in content['annotations'] if a['image_id'] == entry['id']]
        boxes = [[x, y, x + w, y + h] for x, y, w, h in (a['bbox'] for a in objects)]
        annotated.append(draw(image, boxes, [names[a['category_id'] - 1] for a in objects], GREEN))
    rows = [row('annotated', annotated)]
    for name, (cfg, checkpoint) in detectors.items():
        model = init_detector(cfg, checkpoint, device='cuda' if torch.cuda.is_available() else 'cpu')
        drawn = []
        for image in images:
            found = inference_detector(model, image).pred_instances
            found = found[found.scores > 0.5].cpu()
            texts = [f'{names[label]} {score:.2f}' for label, score in zip(found.labels, found.scores)]
            drawn.append(draw(image, found.bboxes.tolist(), texts, COLOR))
        rows.append(row(name, drawn))
    cv2.imwrite(path, np.concatenate(rows))


def draw(image: np.ndarray, boxes: list, texts: list[str], color: tuple, zoom: int = 2) -> np.ndarray:
    """Return an enlarged copy of an image with boxes (x1, y1, x2, y2) and a word at each."""
    canvas = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    for box, text in zip(boxes, texts):
        x1, y1, x2, y2 = (round(zoom * value) for value in box)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), color, 2)
        place = (min(max(x1, 0), canvas.shape[1] - 9 * len(text)), max(y1 - 4, 12))
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return cv2.copyMakeBorder(canvas, 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def row(title: str, images: list[np.ndarray]) -> np.ndarray:
    """Put images side by side below a title."""
    body = np.concatenate(images, axis=1)
    head = np.full((28, body.shape[1], 3), 255, np.uint8)
    cv2.putText(head, title, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([head, body])


def plain(cfg: Config) -> Config:
    """Return the config of the network that is left when the training is over."""
    cfg = Config(cfg.to_dict())
    if 'student' in cfg.model:
        cfg.model = cfg.model.student
    return cfg


def main_checkpoint(cfg: Config) -> str:
    """Return the last checkpoint of a run, the student's own where it was distilled."""
    path = osp.join(cfg.work_dir, f'epoch_{cfg.train_cfg.max_epochs}.pth')
    return student_path(path) if 'student' in cfg.model else path


@tool(go_on='the same command goes on where it stopped')
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--work-dir', default='work_dirs/digit_scenes', help='folder for everything (default: %(default)s)'
    )
    parser.add_argument('--data', help='folder of the scenes (default: <work dir>/data)')
    parser.add_argument('--seed', type=int, default=0, help='random seed of the trainings (default: %(default)s)')
    parser.add_argument('--quick', action='store_true', help='a few scenes and one pass: does everything run?')
    args = parser.parse_args()
    data = args.data or osp.join(args.work_dir, 'data')
    info = dict(
        description='handwritten digits on textured backgrounds',
        train=16 if args.quick else 800,
        val=8 if args.quick else 100,
        seed=0,
        size=128,
    )
    if not holds(Path(data), info):
        make_digit_scenes(Path(data).absolute(), info)
    say(f'{info["train"]} scenes to train on and {info["val"]} of other writers to measure, in {data}')

    results, detectors = {}, {}
    for name in RUNS:
        cfg = read_config(name, data, osp.join(args.work_dir, name.replace(' ', '_')), args.seed, args.quick)
        if 'teacher' in cfg.model:
            cfg.model.teacher.checkpoint = detectors['teacher'][1]
        results[name] = train(name, cfg)
        detectors[name] = (plain(cfg), main_checkpoint(cfg))
    png = osp.join(args.work_dir, 'detections.png')
    picture(detectors, data, 5, png)
    closing = table(results)
    Path(args.work_dir, 'table.txt').write_text(closing + '\n')
    print(
        f"\nCOCO's average precision on {info['val']} scenes, {torch.get_num_threads()} threads, "
        f'{time.time() - BEGIN:.0f} s\n\n{closing}\n\nPicture: {png}'
    )


if __name__ == '__main__':
    main()
