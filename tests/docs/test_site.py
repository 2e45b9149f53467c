"""Every page is in the navigation, and every package that exports something in the API reference."""

import importlib
import pkgutil
import re
import sys

import pytest
from pages import ROOT, blocks, pages

import topkd

sys.path.insert(0, str(ROOT / 'docs' / 'site'))
# what configs and users do not name
INTERNAL = {'topkd', 'topkd.cli', 'topkd.compat', 'topkd.preflight'}


def entries() -> list[str]:
    """List the entries of all toctrees of the front page."""
    trees = [block.text for block in blocks('docs/index.md') if block.language == '{toctree}']
    return [line for tree in trees for line in tree.splitlines() if re.fullmatch(r'[\w/.-]+', line)]


def test_every_page_is_in_the_navigation_once():
    found = [page.removeprefix('docs/').removesuffix('.md') for page in pages() if page.startswith('docs/')]
    assert sorted([*entries(), 'index']) == sorted([*found, 'api/index'])


def test_packages_that_export_something_have_a_page():
    pytest.importorskip('sphinx', reason='sphinx is not installed')
    from api_pages import PACKAGES

    names = [info.name for info in pkgutil.walk_packages(topkd.__path__, 'topkd.') if info.ispkg]
    exporting = {name for name in ['topkd', *names] if hasattr(importlib.import_module(name), '__all__')}
    assert exporting - set(PACKAGES) == INTERNAL


def test_pages_of_packages_describe_each_object_once():
    pytest.importorskip('sphinx', reason='sphinx is not installed')
    from api_pages import PACKAGES, page

    seen = set()
    written = '\n'.join(page(package, title, seen) for package, title in PACKAGES.items())
    for line in ('.. autofunction:: rips_h0', '.. autoclass:: SPLoss', '.. autoclass:: Teacher'):
        assert written.splitlines().count(line) == 1
    assert '.. autodata' not in written and len(seen) > 150
