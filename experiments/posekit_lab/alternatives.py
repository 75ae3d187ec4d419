"""Words in place of pictures, for readers who do not see them: written in a source, put into the outputs by a build.

    # %% tags=["explore"] alt="A photograph, its map in colours, and the two side by side on the atlas."

A cell with several pictures has a list, `alt=["...", "..."]`.  The words go where nbconvert looks for them, the
output's metadata; its `classic` pages show them, while JupyterLab 4.6 and the `lab` pages of nbconvert 7.17 read no
words of any file.  They are no code, so `build --no-execute` brings them up to date.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LEAST, MOST = 25, 240  # characters: says something, and is heard to its end


def put_alternatives(notebook: Any) -> None:
    """Write every cell's words into the metadata of its pictures (changed in place)."""
    for cell in notebook.cells:
        for picture, words in zip(_pictures(cell), words_of(cell), strict=False):
            picture.metadata["image/png"] = {**picture.metadata.get("image/png", {}), "alt": words}


def missing_alternatives(notebook: Any) -> Iterator[str]:
    """One sentence for every picture without words, and for words that say too little or too much."""
    for number, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), start=1):
        pictures, words = _pictures(cell), words_of(cell)
        if len(words) < len(pictures):
            yield (
                f"Code cell {number} shows {len(pictures)} pictures and says {len(words)} of them in words; write "
                '`# %% alt="..."` (a list for several).'
            )
        elif any(p.metadata.get("image/png", {}).get("alt") != w for p, w in zip(pictures, words, strict=False)):
            yield f"A picture of code cell {number} does not have the words of the source; build it with --no-execute."
        for text in words:
            if not LEAST <= len(text) <= MOST:
                length = f"{len(text)} characters, not {LEAST} to {MOST}"
                yield f"Code cell {number}: the words `{text[:30]}` for a picture have {length}."


def words_of(cell: Any) -> list[str]:
    """The words for the pictures of a cell, in order."""
    words = cell.metadata.get("alt", [])
    return [words] if isinstance(words, str) else list(words)


def _pictures(cell: Any) -> list[Any]:
    return [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
