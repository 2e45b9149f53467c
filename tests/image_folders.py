"""Small folders in the formats of CIFAR-100, STL-10, Tiny-ImageNet and ImageNet that many tests share."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

STL10_CLASSES = ['airplane', 'bird', 'car', 'cat', 'deer', 'dog', 'horse', 'monkey', 'ship', 'truck']


def picture(label: int, number: int, height: int, width: int) -> np.ndarray:
    """Return uint8 (H, W, 3): a smooth picture whose color and direction tell its label, with a little noise."""
    random = np.random.RandomState(1000 * label + number)
    y, x = np.mgrid[:height, :width] / max(height, width)
    wave = np.sin(6 * (x * np.cos(label) + y * np.sin(label)) + random.rand())
    color = np.array([np.cos(1.3 * label), np.cos(2.1 * label + 1), np.cos(0.7 * label + 2)])
    pixels = 128 + 60 * wave[..., None] * 0.5 + 60 * color + random.randn(height, width, 3) * 4
    return pixels.clip(0, 255).astype(np.uint8)


def write_cifar100(folder: Path) -> None:
    """Write 64 training and 32 test images of noise as the official folder does."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for split, count in dict(train=64, test=32).items():
        content = dict(
            data=random.integers(0, 256, (count, 3072), dtype=np.uint8),
            fine_labels=random.integers(0, 100, count).tolist(),
        )
        (folder / split).write_bytes(pickle.dumps(content))
    (folder / 'meta').write_bytes(pickle.dumps(dict(fine_label_names=[f'class {i}' for i in range(100)])))


def write_stl10(root: Path, counts: dict) -> dict:
    """Write ``root/stl10_binary``; returns the pictures (N, 96, 96, 3) and labels from 0 of each split."""
    folder = root / 'stl10_binary'
    folder.mkdir(parents=True)
    (folder / 'class_names.txt').write_text('\n'.join(STL10_CLASSES) + '\n')
    written = {}
    for split, count in counts.items():
        labels = np.arange(count) % 10
        shift = 500 if split == 'test' else 0
        images = np.stack([picture(label, number + shift, 96, 96) for number, label in enumerate(labels)])
        with open(folder / f'{split}_X.bin', 'wb') as file:
            for image in images:
                for channel in range(3):
                    for column in range(96):
                        file.write(bytes(image[:, column, channel].tolist()))
        (folder / f'{split}_y.bin').write_bytes(bytes((labels + 1).tolist()))
        written[split] = images, labels
    return written


def write_tiny_imagenet(root: Path, wnids: Sequence[str], train: int = 3, val: int = 2, side: int = 64) -> Path:
    """Write ``root/tiny-imagenet-200`` with ``train`` and ``val`` images a class."""
    folder = root / 'tiny-imagenet-200'
    lines = []
    (folder / 'val' / 'images').mkdir(parents=True)
    for label, wnid in enumerate(wnids):
        images = folder / 'train' / wnid / 'images'
        images.mkdir(parents=True)
        for number in range(train):
            Image.fromarray(picture(label, number, side, side)).save(images / f'{wnid}_{number}.JPEG', quality=95)
        for number in range(val):
            name = f'val_{len(lines)}.JPEG'
            Image.fromarray(picture(label, 500 + number, side, side)).save(folder / 'val' / 'images' / name, quality=95)
            lines.append(f'{name}\t{wnid}\t0\t0\t{side - 1}\t{side - 1}')
    (folder / 'val' / 'val_annotations.txt').write_text('\n'.join(lines[::-1]) + '\n')
    (folder / 'wnids.txt').write_text('\n'.join(wnids) + '\n')
    (folder / 'words.txt').write_text(
        ''.join(f'{wnid}\tname of {wnid}\n' for wnid in sorted(wnids)[:-1]) + 'n99999999\tother\n'
    )
    return folder


def write_imagenet(root: Path, classes: Sequence[str], train: int = 4, val: int = 2) -> Path:
    """Write ``root/train/<class>/*.JPEG`` and ``root/val/<class>/*.JPEG`` with images of several sizes."""
    for split, count in (('train', train), ('val', val)):
        for label, name in enumerate(sorted(classes)):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                height, width = (96, 128) if number % 2 else (144, 100)
                image = Image.fromarray(picture(label, number + 500 * (split == 'val'), height, width))
                image.save(root / split / name / f'{name}_{number}.JPEG', quality=95)
    return root
