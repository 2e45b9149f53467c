"""The site of these pages: ``python run.py docs``, or ``sphinx-build -W docs build/docs``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / 'site'))

from topkd.version import __version__

project = 'topkd'
author = 'the authors of topkd'
copyright = author  # noqa: A001
version = release = __version__

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'sphinx_copybutton', 'api_pages', 'mathml']
root_doc = 'index'
exclude_patterns = ['site']
myst_enable_extensions = ['colon_fence']
myst_heading_anchors = 3

# arguments are typed in the docstrings; signatures say the rest
autodoc_typehints = 'none'
autodoc_member_order = 'bysource'
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
add_module_names = False
toc_object_entries_show_parents = 'hide'
maximum_signature_line_length = 90

html_math_renderer = 'mathml'
html_theme = 'furo'
html_title = f'topkd {version}'
html_static_path = ['site/static']
html_css_files = ['tables.css']
html_show_sourcelink = False
html_copy_source = False
pygments_style = 'friendly'
pygments_dark_style = 'monokai'
copybutton_prompt_text = r'>>> |\.\.\. '
copybutton_prompt_is_regexp = True
