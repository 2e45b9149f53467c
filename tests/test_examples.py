"""The examples in docstrings run, and the losses have them."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

PACKAGES = (
    'topkd.analysis',
    'topkd.artifacts',
    'topkd.hooks',
    'topkd.models',
    'topkd.reproduction',
    'topkd.topology',
    'topkd.utils',
)


def modules() -> list[str]:
    found = []
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        found += [info.name for info in pkgutil.walk_packages(path, f'{package}.')]
    return sorted(found)


@pytest.mark.parametrize('name', modules())
def test_examples(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_public_functions_of_losses_have_an_example():
    lacking, total = [], 0
    for info in pkgutil.iter_modules(importlib.import_module('topkd.models.losses').__path__, 'topkd.models.losses.'):
        if not info.name.endswith('_loss'):
            continue
        module = importlib.import_module(info.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            # a function of tensors alone; those that build layers or draw masks have tests instead
            numeric = (
                not name.startswith('_')
                and function.__module__ == info.name
                and name.endswith(
                    (
                        'distance',
                        'divergence',
                        'divergences',
                        'contrast',
                        'matrix',
                        'maps',
                        'map',
                        'similarities',
                        'angles',
                    )
                )
            )
            total += numeric
            if numeric and '>>>' not in (function.__doc__ or ''):
                lacking.append(f'{info.name}.{name}')
    assert not lacking and total > 20
