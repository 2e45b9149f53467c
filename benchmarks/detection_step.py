"""Compare a detector's distillation step with its floor: the plain student's step plus one teacher's backbone and neck.

Both are timed in turns in one process, so that a change of the machine's load meets them alike. Peak memory is that of
a step with both networks: the allocator's own on a GPU; on a CPU the growth of a process beyond its imports, measured
in one child process each.

Usage: python benchmarks/detection_step.py [--config configs/topkd/faster-rcnn_r101-r18_coco_exact.py]
           [--device cuda --size 800 1333 --batch-size 8] [--amp] [--rounds 5]
"""

import argparse
import copy
import gc
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import MODELS, init_default_scope
from mmengine.structures import InstanceData

import topkd  # noqa: F401  isort:skip  (mmdet needs its mmcv ops)
from mmdet.structures import DetDataSample

STEPS = ('floor', 'distillation')


def make_batch(count: int, size: tuple[int, int], classes: int, device: torch.device) -> dict:
    """Return normalized random images of one size with eight boxes each."""
    generator = torch.Generator().manual_seed(0)
    height, width = (-(-side // 32) * 32 for side in size)
    samples = []
    for _ in range(count):
        corners = torch.rand(8, 2, generator=generator) * 0.7 * torch.tensor([size[1], size[0]])
        sides = torch.rand(8, 2, generator=generator) * 0.3 * torch.tensor([size[1], size[0]])
        sample = DetDataSample(
            metainfo=dict(
                img_shape=size,
                ori_shape=size,
                pad_shape=(height, width),
                batch_input_shape=(height, width),
                scale_factor=(1.0, 1.0),
            )
        )
        sample.gt_instances = InstanceData(
            bboxes=torch.cat([corners, corners + sides], 1), labels=torch.randint(classes, (8,), generator=generator)
        )
        sample.ignored_instances = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
        samples.append(sample.to(device))
    inputs = torch.zeros(count, 3, height, width)
    inputs[:, :, : size[0], : size[1]] = torch.randn(count, 3, *size, generator=generator)
    return dict(inputs=inputs.to(device), data_samples=samples)


def make_steps(args: argparse.Namespace) -> dict[str, Callable[[], None]]:
    """Return, by name, functions that do one step each, on the same student."""
    MMLogger.get_instance('benchmark', log_level='WARNING')  # no line for every initialized layer
    torch.manual_seed(0)
    cfg = Config.fromfile(args.config)
    init_default_scope(cfg.default_scope)
    cfg.model.student.backbone.init_cfg = None
    cfg.model.teacher.update(checkpoint=None, cfg_options={'model.backbone.init_cfg': None})
    cfg.model.losses.topology.cloud.num_points = args.batch_size
    device = torch.device(args.device)
    model = MODELS.build(cfg.model).to(device).train()
    data = make_batch(args.batch_size, tuple(args.size), model.student.roi_head.bbox_head.num_classes, device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-5, momentum=0.9)
    dtype = torch.float16 if device.type == 'cuda' else torch.bfloat16
    scaler = torch.amp.GradScaler(device.type, enabled=args.amp and device.type == 'cuda')

    def update(forward: Callable[[], dict]) -> None:
        with torch.autocast(device.type, dtype=dtype, enabled=args.amp):
            loss = model.parse_losses(forward())[0]
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    def floor() -> dict:
        with torch.no_grad():
            model.teacher.module.extract_feat(data['inputs'])
        return model.student(**copy.copy(data), mode='loss')

    return dict(zip(STEPS, (lambda: update(floor), lambda: update(lambda: model(**data, mode='loss')))))


def seconds(step: Callable[[], None], device: str) -> float:
    """Time one call."""
    start = time.perf_counter()
    step()
    if device != 'cpu':
        torch.cuda.synchronize()
    return time.perf_counter() - start


def cuda_peaks(steps: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return the allocator's peak of each step in MiB, weights and optimizer included."""
    peaks = {}
    for name, step in steps.items():
        gc.collect()
        torch.cuda.reset_peak_memory_stats()
        step()
        peaks[name] = torch.cuda.max_memory_allocated() / 2**20
    return peaks


def child_peak(args: argparse.Namespace, name: str, queue: multiprocessing.Queue) -> None:
    """Report the peak memory of a process that does nothing but one kind of step, in MiB beyond its imports."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step = make_steps(args)[name]
    for _ in range(2):
        step()
    queue.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10)


def cpu_peaks(args: argparse.Namespace) -> dict[str, float]:
    """Return the peak of a process that does one kind of step, in MiB beyond its imports, both networks included."""
    context, peaks = multiprocessing.get_context('spawn'), {}
    for name in STEPS:
        queue = context.Queue()
        process = context.Process(target=child_peak, args=(args, name, queue))
        process.start()
        peaks[name] = queue.get()
        process.join()
    return peaks


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--config', default='configs/topkd/faster-rcnn_r101-r18_coco_exact.py')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--size', type=int, nargs=2, default=(320, 512), metavar=('HEIGHT', 'WIDTH'))
    parser.add_argument('--batch-size', type=int, default=4)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--amp', action='store_true', help='float16 on a GPU, bfloat16 on a CPU')
    args = parser.parse_args()
    peaks = None if args.device != 'cpu' else cpu_peaks(args)
    steps = make_steps(args)
    times = {name: [] for name in STEPS}
    for step in steps.values():  # the first calls choose kernels and fill the allocator
        step()
    peaks = peaks or cuda_peaks(steps)
    for _ in range(args.rounds):
        for name, step in steps.items():
            times[name].append(seconds(step, args.device))
    medians = {name: statistics.median(values) for name, values in times.items()}
    pairs = [slow / fast for fast, slow in zip(*times.values())]
    print(
        f'{args.config}\n{args.device}, {torch.get_num_threads()} threads, batch {args.batch_size} of {args.size[0]} x '
        f'{args.size[1]}{", amp" if args.amp else ""}, median of {args.rounds} rounds\n'
    )
    print('| step         | ms      | range             | peak MiB |')
    print('|--------------|---------|-------------------|----------|')
    for name in STEPS:
        spread = f'{1e3 * min(times[name]):.0f} - {1e3 * max(times[name]):.0f}'
        print(f'| {name:12} | {1e3 * medians[name]:7.0f} | {spread:17} | {peaks[name]:8.0f} |')
    print(
        f"\ntime: {statistics.median(pairs):.3f} of the floor (median of the rounds' ratios); memory: "
        f'{peaks["distillation"] / peaks["floor"]:.3f} of the floor'
    )


if __name__ == '__main__':
    main()
