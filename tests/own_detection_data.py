"""Small detection sets as users have them: Pascal VOC and YOLO."""

from pathlib import Path

import numpy as np
from PIL import Image

# by image: class and x1, y1, x2, y2 in pixels, x2 and y2 exclusive
OBJECTS = {
    'a': [('cat', (0, 0, 20, 10))],
    'b': [('dog', (8, 4, 40, 30)), ('cat', (1, 2, 3, 4))],
    'c': [],
    'd': [('dog', (30, 20, 60, 40))],
}
WIDTH, HEIGHT = 60, 40
CLASSES = ['cat', 'dog']


def draw(path: Path) -> None:
    """Write an image of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(list(path.stem.encode())).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def voc(root: Path, lists: bool = True, names=tuple(OBJECTS)) -> Path:
    """Write a folder of Pascal VOC, whose pixels count from 1 and whose corners are inside."""
    (root / 'Annotations').mkdir(parents=True)
    for name in names:
        draw(root / 'JPEGImages' / f'{name}.jpg')
        objects = ''.join(
            f'<object><name>{kind}</name><difficult>{int(name == "d")}</difficult><bndbox><xmin>{x1 + 1}</xmin>'
            f'<ymin>{y1 + 1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>'
            for kind, (x1, y1, x2, y2) in OBJECTS.get(name, OBJECTS['a'])
        )
        size = f'<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>'
        (root / 'Annotations' / f'{name}.xml').write_text(f'<annotation>{size}{objects}</annotation>')
    if lists:
        (root / 'ImageSets' / 'Main').mkdir(parents=True)
        (root / 'ImageSets' / 'Main' / 'train.txt').write_text('a\nb  1\n\n')
        (root / 'ImageSets' / 'Main' / 'val.txt').write_text('c\nd\n')
    return root


def yolo(root: Path) -> Path:
    """Write a folder of YOLO."""
    for split, names in dict(train='ab', val='cd').items():
        for name in names:
            draw(root / 'images' / split / f'{name}.png')
            lines = [
                f'{CLASSES.index(kind)} {(x1 + x2) / 2 / WIDTH} {(y1 + y2) / 2 / HEIGHT} {(x2 - x1) / WIDTH} '
                f'{(y2 - y1) / HEIGHT}\n'
                for kind, (x1, y1, x2, y2) in OBJECTS[name]
            ]
            if lines:
                labels = root / 'labels' / split / f'{name}.txt'
                labels.parent.mkdir(parents=True, exist_ok=True)
                labels.write_text(''.join(lines))
    (root / 'data.yaml').write_text('path: /elsewhere\ntrain: images/train\nval: ../images/val\nnames: [cat, dog]\n')
    return root
