"""What the tools of ``tools/analysis`` write, as numbers by network and metric."""

import json
from collections.abc import Callable
from pathlib import Path

Figures = dict[str, dict[str, float]]


def _images(content: dict) -> Figures:
    return {
        name: dict(mse=values['mse'], l2=values['l2'])
        for name, values in content['networks'].items()
        if 'mse' in values
    }


def _bottleneck(content: dict) -> Figures:
    figures: Figures = {}
    metrics = {'as is': 'bottleneck', 'scale-free': 'bottleneck_scale_free'}
    dims = [row['homology_dim'] for row in content['distances']]
    for row in content['distances']:
        if row['homology_dim'] == dims[0]:
            figures.setdefault(row['network'], {})[metrics[row['scale']]] = row['mean']
    return figures


def _embeddings(content: dict) -> Figures:
    return {
        name: {score: value['mean'] for score, value in scores.items()}
        for name, scores in content['scores']['umap'].items()
    }


READERS: dict[str, Callable[[dict], Figures]] = dict(images=_images, bottleneck=_bottleneck, embeddings=_embeddings)


def analysis_figures(tool: str, folder: Path) -> Figures:
    """Read the figures of a finished analysis.

    Args:
        tool (str): 'analysis/images.py', 'analysis/bottleneck.py' or 'analysis/embeddings.py'.
        folder (Path): Where it wrote.

    Returns:
        dict: Mean by network ('teacher' and the variants) and metric.
    """
    stem = Path(tool).stem
    return READERS[stem](json.loads((folder / f'{stem}.json').read_text()))
