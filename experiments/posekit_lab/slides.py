"""Slides for each week, as files that any office program opens and changes.

    python -m posekit_lab.slides [-o out/slides]        # or: make teaching

The texts lie in docs/teaching/slides, a Markdown file for each week:

    # Title of the deck
    A line below it
    ## Title of a slide
    - a point
    ![How the words for the figure begin](../../../notebooks/02_scatter_rasterization.ipynb)
    > what the speaker says

A figure is a picture in the outputs of an executed notebook, named by the beginning of its words (its `alt`).
"""

from __future__ import annotations

import argparse
import base64
import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from posekit.util.errors import InputError
from posekit.util.files import whole_file
from posekit_lab.alternatives import words_of
from posekit_lab.notebooks import load_notebook
from posekit_lab.source import FOLDER, ROOT

TEXTS = ROOT / "docs" / "teaching" / "slides"
OUT = Path("out/slides")
_FIGURE = re.compile(r"!\[([^\]]+)\]\((?:[^)]*/)?(\w+)\.ipynb\)$")
_INCH = 914_400  # the format's unit of length
_WIDTH, _HEIGHT = 13.333, 7.5  # inches, 16 : 9


@dataclass
class Slide:
    """title; points; figure: (beginning of its words, notebook); notes: of the speaker."""

    title: str
    points: list[str] = field(default_factory=list)
    figure: tuple[str, str] | None = None
    notes: list[str] = field(default_factory=list)


@dataclass
class Deck:
    """title and the line below it; slides."""

    title: str = ""
    below: str = ""
    slides: list[Slide] = field(default_factory=list)


def read_deck(path: Path) -> Deck:
    """The deck of a text.  Raises InputError for a line that belongs to no slide, or that is of no known kind."""
    deck = Deck()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        slide = deck.slides[-1] if deck.slides else None
        if line.startswith("# ") and not deck.title:
            deck.title = line[2:]
        elif line.startswith("## "):
            deck.slides.append(Slide(line[3:]))
        elif line[:1].isalnum() and slide is None and deck.title and not deck.below:
            deck.below = line
        elif line.startswith("- ") and slide is not None:
            slide.points.append(re.sub(r"[*`]", "", line[2:]))
        elif line.startswith("> ") and slide is not None:
            slide.notes.append(line[2:])
        elif (figure := _FIGURE.match(line)) and slide is not None and slide.figure is None:
            slide.figure = (figure.group(1), figure.group(2))
        elif line:
            raise InputError(
                f"{path.name}, line {number}: expected a title, a point, one figure or a note, got {line!r}."
            )
    if not deck.title or not deck.slides:
        raise InputError(f"{path.name} has no title, or no slide; begin it with '# Title', a slide with '## Title'.")
    return deck


def picture_from(begins: str, name: str) -> tuple[bytes, str]:
    """The picture (PNG) of a notebook whose words begin so, and its words.  Raises InputError unless it is just one."""
    path = FOLDER / f"{name}.ipynb"
    if not path.is_file():
        raise InputError(f"There is no notebook {path.name}; run make notebooks.")
    matching = []
    for cell in load_notebook(path).cells:
        pictures = [
            output.data["image/png"] for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
        ]
        for picture, words in zip(pictures, words_of(cell), strict=False):
            if words.startswith(begins):
                matching.append((base64.b64decode(picture), words))
    if len(matching) != 1:
        raise InputError(f"{len(matching)} pictures of {name} have words that begin with {begins!r}; expected one.")
    return matching[0]


def write_deck(deck: Deck, path: Path) -> None:
    """Write the file.  Raises InputError where python-pptx is missing."""
    try:
        from pptx import Presentation
        from pptx.util import Pt
    except ImportError as error:
        raise InputError("Slides need python-pptx; install it with pip install './notebooks[teaching]'.") from error
    show = Presentation()
    show.slide_width, show.slide_height = int(_WIDTH * _INCH), int(_HEIGHT * _INCH)
    cover, plain = show.slide_layouts[0], show.slide_layouts[5]  # of the standard template: title; title alone
    first = show.slides.add_slide(cover)
    first.shapes.title.text = deck.title
    first.placeholders[1].text = deck.below
    _place(first.shapes.title, 1, 2.3, _WIDTH - 2, 1.5)
    _place(first.placeholders[1], 1, 4, _WIDTH - 2, 1)
    for slide in deck.slides:
        page = show.slides.add_slide(plain)
        page.shapes.title.text = slide.title
        page.shapes.title.text_frame.paragraphs[0].font.size = Pt(36)
        _place(page.shapes.title, 0.6, 0.3, _WIDTH - 1.2, 1)
        bottom = 1.5
        if slide.points:
            height = 0.5 * len(slide.points) + 0.2
            box = page.shapes.add_textbox(*_inches(0.8, bottom, _WIDTH - 1.6, height)).text_frame
            box.word_wrap = True
            for n, point in enumerate(slide.points):
                line = box.paragraphs[0] if n == 0 else box.add_paragraph()
                line.text, line.font.size = f"\N{BULLET} {point}", Pt(22)
            bottom += height + 0.1
        if slide.figure is not None:
            picture, words = picture_from(*slide.figure)
            _add_picture(page, picture, words, bottom)
        if slide.notes:
            page.notes_slide.notes_text_frame.text = "\n".join(slide.notes)
    with whole_file(path) as temporary:
        show.save(str(temporary))


def _add_picture(page: object, picture: bytes, words: str, top: float) -> None:
    """As large as fits below ``top`` (inches), in the middle; the words are there for readers who do not see it."""
    with Image.open(io.BytesIO(picture)) as image:
        w, h = image.size
    scale = min((_WIDTH - 1.2) / w, (_HEIGHT - top - 0.3) / h)
    box = _inches((_WIDTH - w * scale) / 2, top, w * scale, h * scale)
    shape = page.shapes.add_picture(io.BytesIO(picture), *box)
    shape._element.nvPicPr.cNvPr.set("descr", words)


def _inches(*lengths: float) -> list[int]:
    return [int(length * _INCH) for length in lengths]


def _place(shape: object, left: float, top: float, width: float, height: float) -> None:
    shape.left, shape.top, shape.width, shape.height = _inches(left, top, width, height)


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=OUT)
    parser.add_argument("--texts", type=Path, default=TEXTS, help="folder of the texts")
    args = parser.parse_args(arguments)
    try:
        for text in sorted(args.texts.glob("*.md")):
            out = args.out / f"{text.stem}.pptx"
            out.parent.mkdir(parents=True, exist_ok=True)
            write_deck(read_deck(text), out)
            print(out)
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
