"""The drawings of the systems: well formed, nothing on top of each other, and the kept files are those of the code."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from posekit_lab import boxes, diagrams
from posekit_lab.boxes import Box, Diagram
from posekit_lab.diagrams import DIAGRAMS
from posekit_lab.source import ROOT

from posekit.util.errors import InputError

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", DIAGRAMS)
def test_kept_files_are_those_of_the_code(name):
    assert (diagrams.FOLDER / f"{name}.svg").read_text(encoding="utf-8") == boxes.as_svg(DIAGRAMS[name])


def test_no_other_files_and_all_are_shown(tmp_path):
    assert {path.stem for path in diagrams.FOLDER.iterdir()} == set(DIAGRAMS)
    page = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\(\.\./notebooks/images/diagrams/(\w+)\.svg\)", page)) == sorted(DIAGRAMS)
    written = diagrams.main(["--out", str(tmp_path / "new")])
    assert {path.name for path in written} == {f"{name}.svg" for name in DIAGRAMS}


@pytest.mark.parametrize("name", DIAGRAMS)
def test_well_formed_and_inside(name):
    diagram = DIAGRAMS[name]
    root = ET.fromstring(boxes.as_svg(diagram))
    width, height = boxes.drawing_size(diagram)
    assert root.get("viewBox") == f"0 0 {width} {height}"
    assert root.find(f"{SVG}title").text == diagram.title
    rects = root.findall(f"{SVG}g/{SVG}rect")
    assert len(rects) == len(diagram.boxes)
    for rect in rects:
        x, y, w, h = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
        assert min(x, y) >= 0
        assert x + w <= width
        assert y + h <= height
    assert len(root.findall(f"{SVG}path")) == len(diagram.arrows)


def test_its_style_is_about_itself_alone():
    """A drawing may lie inside a page that has other pictures."""
    rules = re.findall(r"([^{}]+)\{", re.sub(r"@media[^{]*\{", "", boxes._STYLE))
    assert len(rules) > 15
    assert all(rule.strip().startswith(".drawn") for rule in rules), rules
    assert ET.fromstring(boxes.as_svg(DIAGRAMS["f"])).get("class") == "drawn"


@pytest.mark.parametrize("name", DIAGRAMS)
def test_boxes_lie_apart_and_texts_fit(name):
    shown = DIAGRAMS[name].boxes.values()
    for one, other in itertools.combinations(shown, 2):
        (l1, t1, r1, b1), (l2, t2, r2, b2) = boxes.place(one), boxes.place(other)
        assert r1 < l2 or r2 < l1 or b1 < t2 or b2 < t1, (one, other)
    for box in shown:
        assert len(box.title) <= 17, box.title  # 7.2 pixels a letter
        assert len(box.note) <= 22, box.note  # 6


@pytest.mark.parametrize("name", DIAGRAMS)
def test_every_box_is_reached(name):
    diagram = DIAGRAMS[name]
    ends = {word for arrow in diagram.arrows for word in arrow.split()[::2]}
    assert ends == set(diagram.boxes)
    reached = {arrow.split()[2] for arrow in diagram.arrows}
    assert all(name in reached for name, box in diagram.boxes.items() if box.kind in ("network", "step", "loss"))


def test_sizes_in_f_are_those_of_the_network():
    """The channels and dilations that the drawing names are those that Table 1 gives."""
    notes = " ".join(box.note for box in DIAGRAMS["f"].boxes.values())
    assert [int(n) for n in re.findall(r"\b(32|64|128|16)\b", notes)] == [32, 64, 128, 128, 64, 32, 16]
    assert "dilation 2, 4, 8, 8" in notes


def test_bad_drawings():
    with pytest.raises(InputError, match="A box is one of"):
        Box(0, 0, "cloud", "a")
    two = {"a": Box(0, 0, "data", "a"), "b": Box(1, 0, "data", "b")}
    for arrow in ("a > c", "a - b", "a b"):
        with pytest.raises(InputError, match="An arrow is"):
            Diagram("two boxes", two, (arrow,))


def test_shown_in_a_notebook():
    pytest.importorskip("IPython")
    shown = diagrams.show_diagram("f")._repr_svg_()
    assert shown.startswith("<svg")
    assert "gated 5 x 5" in shown
    with pytest.raises(InputError, match="drawing"):
        diagrams.show_diagram("h")


def test_texts_are_escaped():
    svg = boxes.as_svg(Diagram("a < b", {"a": Box(0, 0, "data", "x & y")}))
    assert "a &lt; b" in svg
    assert "x &amp; y" in svg
