"""The API reference: a page a package, written from what the packages export whenever the site is built."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

# title by package; a name that two export stands on the page of the first
PACKAGES = {
    'topkd.topology': 'Topology of point clouds',
    'topkd.graphs': 'Graphs',
    'topkd.functional': 'What the losses compute',
    'topkd.models.losses': 'Losses',
    'topkd.models.clouds': 'Clouds',
    'topkd.models.vectorizers': 'Vectorizers',
    'topkd.models.distillers': 'Distillers',
    'topkd.models.data_preprocessors': 'Data preprocessors',
    'topkd.models.backbones': 'Networks for CIFAR',
    'topkd.models.teacher': 'Teacher',
    'topkd.models': 'Other models',
    'topkd.hooks': 'Hooks',
    'topkd.datasets': 'Data sets',
    'topkd.datasets.conversion': 'Detection data of other formats',
    'topkd.optim': 'Optimizer wrappers',
    'topkd.metrics': 'Metrics',
    'topkd.runners': 'Runners before a training',
    'topkd.analysis': 'Analysis of trained networks',
}
# modules of a package that are public beside what it exports
MODULES = {'topkd.models': ['topkd.models.taps.tap'], 'topkd.models.losses': ['topkd.models.losses.distillation_loss']}

INDEX = """API reference
=============

From the docstrings, a page a package. A config names a component by its class: ``type='topkd.KDLoss'``.

.. toctree::
   :maxdepth: 1

   {packages}
"""


def exported(module: ModuleType) -> list[tuple[str, object]]:
    """List the functions and classes that a module hands out.

    Args:
        module (ModuleType): Package or module.

    Returns:
        list[tuple[str, object]]: Name and object: what it exports, or else what is public and defined in it.
    """
    names = getattr(module, '__all__', None)
    if names is None:
        own = (name for name, value in vars(module).items() if getattr(value, '__module__', None) == module.__name__)
        names = [name for name in own if not name.startswith('_')]
    found = [(name, getattr(module, name)) for name in names]
    return [(name, value) for name, value in found if inspect.isclass(value) or inspect.isfunction(value)]


def modules_of(package: str) -> Iterator[ModuleType]:
    """Yield a package, and its modules if it exports nothing itself or they are public beside it."""
    module = importlib.import_module(package)
    yield module
    names = MODULES.get(package, [])
    if not hasattr(module, '__all__'):
        names = sorted(info.name for info in pkgutil.walk_packages(module.__path__, f'{package}.'))
    yield from map(importlib.import_module, names)


def directive(name: str, value: object) -> list[str]:
    """Return the lines by which autodoc describes an object."""
    if inspect.isfunction(value):
        return [f'.. autofunction:: {name}', '']
    fields = ', '.join(getattr(value, '_fields', ()))  # of a named tuple: its docstring lists them
    return [f'.. autoclass:: {name}', '   :members:', f'   :exclude-members: {fields}', '']


def page(package: str, title: str, seen: set[int]) -> str:
    """Write the page of a package.

    Args:
        package (str): Its full name.
        title (str): What it holds.
        seen (set[int]): Identities of objects that earlier pages describe; those of this page are added.

    Returns:
        str: reStructuredText.
    """
    lines = [title, '=' * len(title), '']
    for module in modules_of(package):
        new = [(name, value) for name, value in exported(module) if id(value) not in seen]
        seen.update(id(value) for _, value in new)
        if module.__name__ != package:
            if not new:
                continue
            lines += [module.__name__, '-' * len(module.__name__), '']
        else:
            lines += [f'``{package}``', '']
        lines += [inspect.getdoc(module) or '', '', f'.. currentmodule:: {module.__name__}', '']
        for name, value in new:
            lines += directive(name, value)
    return '\n'.join(lines)


def write_pages(app: Sphinx) -> None:
    """Write all pages into ``docs/api``; a page that did not change keeps its time, so that it is not built again."""
    folder = Path(app.srcdir) / 'api'
    folder.mkdir(exist_ok=True)
    seen: set[int] = set()
    pages = {package: page(package, title, seen) for package, title in PACKAGES.items()}
    for name, text in dict(pages, index=INDEX.format(packages='\n   '.join(pages))).items():
        path = folder / f'{name}.rst'
        if not path.is_file() or path.read_text(encoding='utf-8') != text:
            path.write_text(text, encoding='utf-8')


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before Sphinx looks which there are."""
    app.connect('config-inited', lambda app, config: write_pages(app))
    return dict(parallel_read_safe=True, parallel_write_safe=True)
