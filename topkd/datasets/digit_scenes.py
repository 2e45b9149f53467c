"""Small detection scenes of scikit-learn's bundled handwritten digits: nothing to download, learnable in minutes."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

CLASSES = ('zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine')
SPLITS = ('train', 'val')

MIN_SIZE = 64  # pixels; below, the smallest digits have fewer pixels than the 8 x 8 originals
MAX_SIZE = 4096  # pixels; above, a scene and its textures take gigabytes of memory
MAX_DIGITS = 4  # per scene
EMPTY_EVERY = 10  # scene 9, 19, ... of a split shows no digit
SIDE_RANGE = (0.25, 0.5)  # height of a digit and its empty rim, relative to the scene
ASPECT_RANGE = (0.85, 1.3)  # width of the same by its height; the digit itself is about half as wide as high
MAX_IOU = 0.05  # between the boxes of a scene
PLACEMENT_TRIES = 30
INK_THRESHOLD = 0.3  # opacity from which a pixel belongs to the digit
BACKGROUND_RANGE = (60, 195)
INK_RANGES = ((0, 30), (225, 255))  # outside of the background's range, so every digit stands out


@dataclass(frozen=True)
class DigitScene:
    """An image and the digits in it.

    Attributes:
        image (np.ndarray): (size, size, 3) uint8, RGB.
        boxes (np.ndarray): (k, 4) int64 corners x1, y1, x2, y2 in pixels, x2 and y2 exclusive, tight around the pasted
            pixels.
        labels (np.ndarray): (k,) int64, the digits 0 to 9.
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


def digit_scenes(split: str, num_scenes: int, seed: int = 0, size: int = 128) -> Iterator[DigitScene]:
    """Draw scenes one by one; scene i depends on the split, the seed, the size and i only.

    Args:
        split (str): 'train', from the first four fifths of the digits, or 'val', from the last fifth (other writers).
        num_scenes (int): How many.
        seed (int): Of the random numbers.
        size (int): Height and width in pixels.

    Yields:
        The scenes.

    Raises:
        ValueError: If the split is unknown, there is no scene, the seed is negative, or the size is not from 64 to 4096
            pixels.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be one of {SPLITS}, got {split!r}')
    if num_scenes < 1:
        raise ValueError(f'a split needs at least 1 scene, got {num_scenes} for {split!r}')
    if seed < 0:
        raise ValueError(f'seed must not be negative, got {seed}')
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise ValueError(f'size must be from {MIN_SIZE} to {MAX_SIZE} pixels, got {size}')
    return _digit_scenes(split, num_scenes, seed, size)


def _digit_scenes(split: str, num_scenes: int, seed: int, size: int) -> Iterator[DigitScene]:
    digits, labels = load_digits(split)
    for index in range(num_scenes):
        rng = np.random.default_rng((seed, SPLITS.index(split), index))
        empty = index % EMPTY_EVERY == EMPTY_EVERY - 1
        yield draw_scene(rng, digits, labels, size, 0 if empty else int(rng.integers(1, MAX_DIGITS + 1)))


def load_digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Load the bundled digits of one split.

    Args:
        split (str): 'train' or 'val'; the bundled set is ordered by writers, hence no digit and hardly a writer is in
            both.

    Returns:
        tuple[np.ndarray, np.ndarray]: (n, 8, 8) float32 opacities in [0, 1] and (n,) int64 labels.
    """
    from sklearn.datasets import load_digits as load_bundled_digits  # takes a second; a config imports this package

    bundle = load_bundled_digits()
    first_of_val = len(bundle.target) * 4 // 5
    part = slice(first_of_val) if split == 'train' else slice(first_of_val, None)
    return (bundle.images[part] / 16).astype(np.float32), bundle.target[part].astype(np.int64)


def draw_scene(
    rng: np.random.Generator, digits: np.ndarray, labels: np.ndarray, size: int, num_digits: int
) -> DigitScene:
    """Draw a background, then paste digits at random places, sizes and colors.

    A digit that finds no place beside the others after some tries is left out; the first one always finds one. Boxes
    are those of the whole digit even where a neighbor's corner hides a pixel of it.

    Args:
        rng (np.random.Generator): Source of all randomness.
        digits (np.ndarray): (n, 8, 8) opacities in [0, 1] to choose from.
        labels (np.ndarray): (n,) their classes.
        size (int): Height and width of the scene in pixels.
        num_digits (int): How many digits to paste at most.

    Returns:
        DigitScene: The scene.
    """
    image = draw_background(rng, size)
    boxes: list[np.ndarray] = []
    shown: list[int] = []
    for _ in range(num_digits):
        choice = int(rng.integers(len(digits)))
        opacity = draw_opacity(rng, digits[choice], size)
        corner = _find_place(rng, opacity.shape, size, boxes)
        if corner is None:
            continue
        image, box = _paste(rng, image, opacity, corner)
        boxes.append(box)
        shown.append(int(labels[choice]))
    return DigitScene(
        image.round().astype(np.uint8), np.array(boxes, dtype=np.int64).reshape(-1, 4), np.array(shown, dtype=np.int64)
    )


def draw_background(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw colored noise of several scales and stripes of a random direction.

    Args:
        rng (np.random.Generator): Source of all randomness.
        size (int): Height and width in pixels.

    Returns:
        np.ndarray: (size, size, 3) float32 in BACKGROUND_RANGE.
    """
    background = np.full((size, size, 3), rng.uniform(90, 165, 3), dtype=np.float32)
    for cells, strength in ((2, 25), (5, 20), (12, 12), (30, 10)):
        noise = rng.normal(0, rng.uniform(0, strength), (cells, cells, 3)).astype(np.float32)
        background += np.asarray(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    rows, columns = np.mgrid[:size, :size] / size
    angle, waves = rng.uniform(0, np.pi), rng.uniform(3, 15)
    stripes = np.sin(2 * np.pi * waves * (rows * np.sin(angle) + columns * np.cos(angle)))
    background += (stripes[..., None] * rng.uniform(-14, 14, 3)).astype(np.float32)
    return background.clip(*BACKGROUND_RANGE)


def draw_opacity(rng: np.random.Generator, digit: np.ndarray, size: int) -> np.ndarray:
    """Enlarge a digit to a random height and aspect ratio and cut it tightly.

    Args:
        rng (np.random.Generator): Source of all randomness.
        digit (np.ndarray): (8, 8) opacities in [0, 1].
        size (int): Height and width of the scene in pixels.

    Returns:
        np.ndarray: (h, w) float32, 0 outside of the digit and within [INK_THRESHOLD, 1] inside; no border row or column
        is empty.
    """
    side = rng.uniform(*SIDE_RANGE) * size
    width = side * rng.uniform(*ASPECT_RANGE)
    opacity = cv2.resize(np.pad(digit, 1), (round(width), round(side)), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    opacity[opacity < INK_THRESHOLD] = 0
    rows, columns = np.flatnonzero(opacity.any(axis=1)), np.flatnonzero(opacity.any(axis=0))
    return opacity[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _find_place(
    rng: np.random.Generator, shape: tuple[int, int], size: int, boxes: list[np.ndarray]
) -> tuple[int, int] | None:
    """Return a corner (x, y) where a digit overlaps no box by more than MAX_IOU, None where no try finds one."""
    height, width = shape
    for _ in range(PLACEMENT_TRIES):
        x, y = int(rng.integers(size - width + 1)), int(rng.integers(size - height + 1))
        box = np.array([x, y, x + width, y + height])
        if all(_iou(box, other) <= MAX_IOU for other in boxes):
            return x, y
    return None


def _iou(box: np.ndarray, other: np.ndarray) -> float:
    intersection = np.clip(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0, None).prod()
    return float(intersection / ((box[2:] - box[:2]).prod() + (other[2:] - other[:2]).prod() - intersection))


def _paste(
    rng: np.random.Generator, image: np.ndarray, opacity: np.ndarray, corner: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return a copy of the image with the digit blended in, and the digit's box."""
    (x, y), (height, width) = corner, opacity.shape
    ink = np.array([rng.uniform(*INK_RANGES[dark_or_bright]) for dark_or_bright in rng.integers(2, size=3)])
    pasted = image.copy()
    window = pasted[y : y + height, x : x + width]
    window += opacity[..., None] * (ink - window)
    return pasted, np.array([x, y, x + width, y + height])
