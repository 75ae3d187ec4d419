"""Outputs as they are stored: only what a reader looks at, nothing about the machine, nothing dead.

What goes: widget state and widget views (without a kernel they show an error; their picture stays), progress bars,
execution times, paths of this machine, memory addresses, colours of the terminal, bytes that pictures can spare.
"""

from __future__ import annotations

import base64
import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

WIDGET = "application/vnd.jupyter.widget-view+json"
ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,16}")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
FONTS = "findfont: "  # how matplotlib speaks of the fonts of the machine that built the notebook
BAR = re.compile(r"\d+%\|.*\|")
# An absolute path anywhere in a text: /home/..., /tmp/..., C:\...; not a part of a URL and not 1/home.
PATH = re.compile(
    r"(?<![\w.~:/-])/(?:home|root|Users|tmp|var|opt|usr|mnt|work|workspace|private|data|srv|content)/[\w.-]+"
    r"|(?<!\w)[A-Z]:\\\w+"
)


def tidy(notebook: Any) -> None:
    """Clean the outputs and metadata of an executed notebook in place."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("collapsed", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(_output, cell.outputs) if output is not None]


def absolute_paths(text: str) -> list[str]:
    """Absolute paths in a text."""
    return PATH.findall(text)


def clean_text(text: str) -> str:
    """A text without this machine: its folders become short names, addresses are hidden, colours removed."""
    for folder, name in _folders():
        text = text.replace(folder, name)
    return ADDRESS.sub("0x...", COLOUR.sub("", text))


def smaller_png(encoded: str) -> str:
    """The same pixels in fewer bytes: no alpha where all is opaque, a palette where it can hold all colours.

    The text fields inside, such as the version of the program that drew it, go.
    """
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
    picture.load()
    if picture.mode == "RGBA" and picture.getextrema()[3] == (255, 255):
        picture = picture.convert("RGB")
    if picture.mode == "RGB":
        colours = picture.getcolors(256)
        if colours is not None:
            exact = picture.quantize(len(colours), dither=Image.Dither.NONE)
            if exact.convert("RGB").tobytes() == picture.tobytes():
                picture = exact
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True)
    return min(base64.b64encode(buffer.getvalue()).decode("ascii"), encoded.replace("\n", ""), key=len)


def _output(output: Any) -> Any | None:
    if output.output_type == "stream":
        lines = (line.rsplit("\r", 1)[-1] for line in output.text.split("\n"))  # what a terminal would still show
        kept = (line for line in lines if not BAR.search(line) and not line.startswith(FONTS))
        output.text = clean_text("\n".join(kept))
        return output if output.text.strip() else None
    if output.output_type == "error":
        output.traceback = [clean_text(line) for line in output.traceback]
        output.evalue = clean_text(output.evalue)
        return output
    output.metadata.pop("nbclient", None)
    if "image/png" in output.data:
        output.data["image/png"] = smaller_png(output.data["image/png"])
    if output.data.pop(WIDGET, None) is not None and set(output.data) <= {"text/plain"}:
        return None  # nothing is left for a reader: a progress bar, a single button
    for kind in ("text/plain", "text/html", "text/markdown"):
        if kind in output.data:
            output.data[kind] = clean_text(output.data[kind])
    return output


def _folders() -> list[tuple[str, str]]:
    """This machine's folders and what to write instead, longest first."""
    root = Path(__file__).resolve().parents[2]
    folders = {str(root): ".", sys.prefix: "python", sys.base_prefix: "python", tempfile.gettempdir(): "(temporary)"}
    home = str(Path.home())
    if len(home) > 1:
        folders[home] = "~"
    return sorted(((f, n) for f, n in folders.items() if len(f) > 1), key=lambda pair: -len(pair[0]))
