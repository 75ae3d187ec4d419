"""Stored outputs hold what a reader looks at and nothing about the machine."""

import base64
import io
import sys
from pathlib import Path

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image
from posekit_lab.tidy import WIDGET, absolute_paths, clean_text, smaller_png, tidy


def png(picture: Image.Image) -> str:
    """A picture as notebooks store it."""
    buffer = io.BytesIO()
    picture.save(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


PIXEL = png(Image.new("RGB", (1, 1)))


def cleaned(*outputs):
    notebook = new_notebook(cells=[new_code_cell("", outputs=list(outputs))])
    tidy(notebook)
    return notebook.cells[0].outputs


def test_paths_of_this_machine_become_short():
    root = Path(__file__).parents[2]
    text = clean_text(f"{root}/posekit/x.py, {sys.prefix}/lib, <object at 0x7f6fbb759e40>, \x1b[31mred\x1b[0m")
    assert text == "./posekit/x.py, python/lib, <object at 0x...>, red"
    assert absolute_paths(text) == []


def test_printed_progress_bars_go():
    stream = new_output("stream", text="start\n 10%|#  | 1/10\r100%|###| 10/10\nstep 1\rstep 2\nend\n")
    assert cleaned(stream)[0].text == "start\nstep 2\nend\n"
    assert cleaned(new_output("stream", name="stderr", text=" 50%|## | 1/2\r100%|####| 2/2\n")) == []


def test_dead_widgets_go_and_their_picture_stays():
    bar = new_output("display_data", {WIDGET: {"model_id": "1"}, "text/plain": "HBox(...)"})
    figure = new_output("display_data", {WIDGET: {"model_id": "2"}, "text/plain": "Live", "image/png": PIXEL})
    (kept,) = cleaned(bar, figure)
    assert kept.data == {"text/plain": "Live", "image/png": PIXEL}


def test_tracebacks_are_cleaned():
    line = f"\x1b[0;31mFile {Path(__file__).parents[2]}/posekit/x.py"
    (error,) = cleaned(new_output("error", ename="E", evalue="at 0x7f6fbb759e40", traceback=[line]))
    assert error.traceback == ["File ./posekit/x.py"]
    assert error.evalue == "at 0x..."


RANDOM = np.random.default_rng(0)
PICTURES = {
    "few colours": RANDOM.integers(0, 4, (40, 50, 3), dtype=np.uint8) * 80,
    "many colours": RANDOM.integers(0, 256, (40, 50, 3), dtype=np.uint8),
    "opaque": np.dstack((RANDOM.integers(0, 256, (40, 50, 3)), np.full((40, 50), 255))).astype(np.uint8),
    "transparent": RANDOM.integers(0, 256, (40, 50, 4), dtype=np.uint8),
    "grey": RANDOM.integers(0, 256, (40, 50), dtype=np.uint8),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_smaller_pictures_keep_every_pixel(kind):
    before = Image.fromarray(PICTURES[kind])
    encoded = png(before)
    after = smaller_png(encoded)
    assert len(after) <= len(encoded)
    if kind in ("few colours", "opaque"):
        assert len(after) < 0.95 * len(encoded)
    shown = Image.open(io.BytesIO(base64.b64decode(after))).convert("RGBA")
    np.testing.assert_array_equal(np.asarray(shown), np.asarray(before.convert("RGBA")))
    assert smaller_png(after) == after  # a rebuild changes nothing
