"""Stored outputs hold what a reader looks at and nothing about the machine."""

import sys
from pathlib import Path

from nbformat.v4 import new_code_cell, new_notebook, new_output

from posekit.teaching.tidy import WIDGET, absolute_paths, clean_text, tidy


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
    figure = new_output("display_data", {WIDGET: {"model_id": "2"}, "text/plain": "Live", "image/png": "AAAA"})
    (kept,) = cleaned(bar, figure)
    assert kept.data == {"text/plain": "Live", "image/png": "AAAA"}


def test_tracebacks_are_cleaned():
    line = f"\x1b[0;31mFile {Path(__file__).parents[2]}/posekit/x.py"
    (error,) = cleaned(new_output("error", ename="E", evalue="at 0x7f6fbb759e40", traceback=[line]))
    assert error.traceback == ["File ./posekit/x.py"]
    assert error.evalue == "at 0x..."
