"""What the site needs beyond Sphinx: formulas as MathML, docstrings as they are written, solutions folded.

- Formulas: latex2mathml writes MathML, which browsers draw without a script, and so without a network.
- Docstrings here are sentences and aligned tables, not reStructuredText: sentences become text, the rest is shown as it
  stands.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from latex2mathml.converter import convert

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_MACROS = {r"\lVert": r"\|", r"\rVert": r"\|", r"\lvert": "|", r"\rvert": "|"}  # latex2mathml does not know these


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    app.connect("autodoc-process-docstring", _as_written)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mathml(latex: str, display: str) -> str:
    """A formula as MathML; display: "inline" or "block"."""
    for name, known in _MACROS.items():
        latex = latex.replace(name, known)
    return convert(latex, display=display)


def _inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _display(translator: Any, node: nodes.Element) -> None:
    translator.body.append(f'<div class="math">{mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def _as_written(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    text = inspect.cleandoc("\n".join(lines))
    if text.startswith("Alias for field number"):  # what Python says of a named tuple's field
        text = ""
    lines.clear()
    for block in filter(None, text.split("\n\n")):
        if _is_prose(block):
            lines += [_escaped(" ".join(block.split())), ""]
        else:
            lines += ["::", "", *(f"    {line}" for line in block.splitlines()), ""]


def _is_prose(block: str) -> bool:
    """Whether a paragraph is sentences: nothing in it is indented, aligned, a table or an example."""
    return all(not re.match(r"\s|\||>>>|- ", line) and "   " not in line for line in block.splitlines())


def _escaped(sentence: str) -> str:
    """A sentence as reStructuredText that says the same; `names` become code."""
    pieces = re.split(r"``?([^`]+)``?", sentence)
    for n, piece in enumerate(pieces):
        pieces[n] = f":code:`{piece}`" if n % 2 else re.sub(r"([\\*_|`])", r"\\\1", piece)
        if n % 2:  # what stands beside code without a space would take it apart
            pieces[n] = rf"\ {pieces[n]}\ "
    return "".join(pieces).strip()
