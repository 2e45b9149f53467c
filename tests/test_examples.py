"""The examples in docstrings run, and what a user reads has one."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

PACKAGES = (
    'topkd.analysis',
    'topkd.artifacts',
    'topkd.functional',
    'topkd.hooks',
    'topkd.models',
    'topkd.optim',
    'topkd.reproduction',
    'topkd.topology',
    'topkd.utils',
)
# packages in which every public function and class has an example
EXPLAINED = (
    'topkd.analysis',
    'topkd.functional',
    'topkd.models.clouds',
    'topkd.models.losses',
    'topkd.models.vectorizers',
    'topkd.topology',
)
# those that have none, by the reason
WITHOUT_EXAMPLE = {
    'trained networks and their data': (
        'topkd.analysis.bottleneck.diagrams.collect_diagrams',
        'topkd.analysis.detections.find.find_boxes',
        'topkd.analysis.detections.find.load_detectors',
        'topkd.analysis.embeddings.collect.collect_embeddings',
        'topkd.analysis.image_error.image_errors',
        'topkd.analysis.images.network_images.network_images',
        'topkd.analysis.networks.compare.compare',
        'topkd.analysis.trained_students.TrainedStudents',
    ),
    'the data set of a config': (
        'topkd.analysis.loaders.cloud_loader',
        'topkd.analysis.loaders.split_loader',
        'topkd.analysis.networks.images.size_in',
    ),
    'an optional extra, umap-learn': (
        'topkd.analysis.embeddings.planes.umap_class',
        'topkd.analysis.embeddings.planes.umap_plane',
    ),
    "a detector's anchors": ('topkd.models.losses.fgfi_loss.FGFILoss',),
}


def modules(packages: tuple[str, ...] = PACKAGES) -> list[str]:
    found = list(packages)
    for package in packages:
        path = importlib.import_module(package).__path__
        found += [info.name for info in pkgutil.walk_packages(path, f'{package}.')]
    return sorted(found)


def public(name: str) -> dict[str, object]:
    """Return the public functions and classes that a module defines itself, by full name."""
    module = importlib.import_module(name)
    return {
        f'{name}.{key}': value
        for key, value in vars(module).items()
        if not key.startswith('_')
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == name
    }


@pytest.mark.parametrize('name', modules())
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_public_functions_and_classes_have_an_example():
    found = {name: value for module in modules(EXPLAINED) for name, value in public(module).items()}
    lacking = {name for name, value in found.items() if '>>>' not in (value.__doc__ or '')}
    assert lacking == {name for names in WITHOUT_EXAMPLE.values() for name in names}
    assert len(found) > 200
