"""Compare the images/s of the in-memory data path with what a distillation step consumes.

Three things are timed in turns, so that a change of the machine's load meets all of them alike:

- the data path: sampler, in-memory set, collate function and batch preprocessor in training mode on the device;
- a KD step ResNet56-ResNet20 at batch 64: teacher forward, student forward and backward, both losses, SGD;
- the usual pipeline: one image after the other through torchvision's transforms in DataLoader workers.

Usage: python benchmarks/data_path.py [--device cuda] [--rounds 5] [--workers 2]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dataset import DefaultSampler
from mmpretrain.models import ImageClassifier
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from topkd.datasets import InMemoryImages, collate_batch
from topkd.models.data_preprocessors.image_batch_preprocessor import ImageBatchPreprocessor
from topkd.registry import MODELS

MEAN, STD = (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)
BATCH_SIZE = 64
TAU = 4.0


class PerImage(Dataset):
    """Decode and augment one image at a time with torchvision's transforms."""

    def __init__(self, pixels: np.ndarray, labels: Tensor):
        self.pixels, self.labels = pixels, labels
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, STD),
            ]
        )

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def make_classifier(depth: int) -> ImageClassifier:
    """Build a CIFAR ResNet with 100 classes."""
    return ImageClassifier(
        backbone=MODELS.build(dict(type='CIFARResNet', depth=depth)),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=100, in_channels=64),
    )


def endless(loader: DataLoader) -> Iterator:
    """Start the loader again whenever it is through."""
    while True:
        yield from loader


def make_step(device: torch.device) -> Callable[[], None]:
    """Return a function that does one hand-written KD step on a fixed batch."""
    student, teacher = make_classifier(20).to(device).train(), make_classifier(56).to(device).eval()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    images = torch.randn(BATCH_SIZE, 3, 32, 32, device=device)
    labels = torch.randint(0, 100, (BATCH_SIZE,), device=device)

    def step() -> None:
        with torch.no_grad():
            target = F.log_softmax(teacher(images) / TAU, 1)
        logits = student(images)
        kd = F.kl_div(F.log_softmax(logits / TAU, 1), target, reduction='batchmean', log_target=True) * TAU**2
        optimizer.zero_grad()
        (F.cross_entropy(logits, labels) + kd).backward()
        optimizer.step()

    return step


def make_loops(device: torch.device, workers: int, num_images: int) -> dict[str, Callable[[], None]]:
    """Return, by name, functions that each handle one batch."""
    pixels = np.random.RandomState(0).randint(0, 256, (num_images, 32, 32, 3)).astype(np.uint8)
    labels = torch.randint(0, 100, (num_images,))
    memory = InMemoryImages(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()), labels, classes=[])
    fast = endless(
        DataLoader(memory, BATCH_SIZE, sampler=DefaultSampler(memory), drop_last=True, collate_fn=collate_batch)
    )
    preprocess = ImageBatchPreprocessor([255 * m for m in MEAN], [255 * s for s in STD], 4, 0.5).to(device)
    slow = endless(
        DataLoader(
            PerImage(pixels, labels),
            BATCH_SIZE,
            shuffle=True,
            drop_last=True,
            num_workers=workers,
            persistent_workers=workers > 0,
        )
    )
    return {
        'in-memory set + batch preprocessor': lambda: preprocess(next(fast), training=True),
        'KD step ResNet56-ResNet20': make_step(device),
        f'per-image torchvision, {workers} workers': lambda: next(slow)[0].to(device),
    }


def seconds(loop: Callable[[], None], batches: int, device: torch.device) -> float:
    """Time ``batches`` calls, and return the seconds of one."""
    start = time.perf_counter()
    for _ in range(batches):
        loop()
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    return (time.perf_counter() - start) / batches


def main() -> None:
    """Measure, and print a table of medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--num-images', type=int, default=50000)
    args = parser.parse_args()
    device = torch.device(args.device)
    loops = make_loops(device, args.workers, args.num_images)
    batches = dict(zip(loops, (400, 10, 60)))
    times = {name: [] for name in loops}
    for name, loop in loops.items():  # The first batches start the workers and choose kernels.
        seconds(loop, 5, device)
    for _ in range(args.rounds):
        for name, loop in loops.items():
            times[name].append(seconds(loop, batches[name], device))
    medians = {name: statistics.median(values) for name, values in times.items()}
    step = medians['KD step ResNet56-ResNet20']
    print(f'{device}, {torch.get_num_threads()} threads, batch {BATCH_SIZE}, median of {args.rounds} rounds\n')
    print(f'| {"":36} | ms/batch | range         | images/s | x what the step consumes |')
    print(f'|{"-" * 38}|{"-" * 10}|{"-" * 15}|{"-" * 10}|{"-" * 26}|')
    for name, value in medians.items():
        spread = f'{1e3 * min(times[name]):.2f} - {1e3 * max(times[name]):.2f}'
        print(f'| {name:36} | {1e3 * value:8.2f} | {spread:13} | {BATCH_SIZE / value:8.0f} | {step / value:24.1f} |')


if __name__ == '__main__':
    main()
