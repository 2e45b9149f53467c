"""Formulas as MathML, which browsers draw by themselves: nothing is loaded from elsewhere when a page is read."""

import html
import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

SIZES = re.compile(r'\\[bB]ig(?![a-z])')  # MathML stretches brackets by itself


def mathml(node: nodes.math | nodes.math_block, as_block: bool) -> str:
    """Turn the LaTeX of a node into MathML; LaTeX that docutils does not know is shown as it is, with a warning."""
    latex = SIZES.sub('', node.astext()).replace(r'\dots', r'\ldots')
    try:
        return tex2mathml(latex, as_block=as_block)
    except MathError as error:
        logging.getLogger(__name__).warning('formula %r: %s', node.astext(), error, location=node)
        return f'<code>{html.escape(node.astext())}</code>'


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a sentence."""
    translator.body.append(mathml(node, as_block=False))
    raise nodes.SkipNode


def display(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula in a line of its own."""
    translator.body.append(f'<div class="formula">{mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register this way of writing formulas, which ``html_math_renderer`` of the configuration names."""
    app.add_html_math_renderer('mathml', inline_renderers=(inline, None), block_renderers=(display, None))
    return dict(parallel_read_safe=True, parallel_write_safe=True)
