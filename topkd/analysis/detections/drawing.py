"""Draw boxes in images, and rows of such images below titles."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from topkd.analysis.detections.find import ANNOTATED, Boxes

GREEN, COLOR = (60, 200, 60), (40, 60, 255)  # BGR, of annotated and of detected boxes
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
TITLE = 28  # pixels


def draw_rows(images: Sequence[np.ndarray], found: Mapping[str, Sequence[Boxes]], zoom: int = 2) -> np.ndarray:
    """Draw one row for each name: every image with the boxes of that name.

    Args:
        images (Sequence[np.ndarray]): (H, W, 3) BGR, all of one height.
        found (Mapping[str, Sequence[Boxes]]): By name, boxes of each image; those of 'annotated' are green.
        zoom (int): Enlargement. Defaults to 2.

    Returns:
        np.ndarray: BGR.

    Example:
        >>> image = np.zeros((10, 12, 3), np.uint8)
        >>> draw_rows([image, image], dict(annotated=[Boxes([[1, 1, 5, 6]], ['one']), Boxes([], [])])).shape
        (54, 60, 3)
    """
    rows = []
    for name, boxes in found.items():
        color = GREEN if name == ANNOTATED else COLOR
        rows.append(_row(name, [_draw(image, here, color, zoom) for image, here in zip(images, boxes)]))
    return np.concatenate(rows)


def _draw(image: np.ndarray, boxes: Boxes, color: tuple[int, int, int], zoom: int) -> np.ndarray:
    """Return an enlarged copy of an image with its boxes and a word at each."""
    canvas = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    for corners, text in zip(boxes.corners, boxes.texts):
        x1, y1, x2, y2 = (round(zoom * value) for value in corners)
        cv2.rectangle(canvas, (x1, y1), (x2, y2), color, 2)
        place = (min(max(x1, 0), canvas.shape[1] - 9 * len(text)), max(y1 - 4, 12))
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, BLACK, 3, cv2.LINE_AA)
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, WHITE, 1, cv2.LINE_AA)
    return cv2.copyMakeBorder(canvas, 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=WHITE)


def _row(title: str, images: Sequence[np.ndarray]) -> np.ndarray:
    """Put images side by side below a title."""
    body = np.concatenate(images, axis=1)
    head = np.full((TITLE, body.shape[1], 3), 255, np.uint8)
    cv2.putText(head, title, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, BLACK, 1, cv2.LINE_AA)
    return np.concatenate([head, body])
