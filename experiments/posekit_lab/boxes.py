"""Boxes and arrows, written as SVG that follows the reader's light or dark page.

A drawing is data: boxes in columns and rows, and arrows between them (`posekit_lab.diagrams` has those of the systems).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from posekit.util.errors import InputError

WAYS = (">", "~", "^", "v")
KINDS = ("given", "data", "network", "step", "loss")
_BOX = (132, 46)  # pixels
_GAP = (46, 34)
_EDGE = 14
# Every rule is about this drawing alone: on a page that holds it whole, other pictures keep their own.
_STYLE = """
.drawn { font-family: system-ui, sans-serif; font-size: 13px; }
.drawn rect { stroke: #556; stroke-width: 1.2; }
.drawn .given rect { fill: #dbe7ff; } .drawn .data rect { fill: #ffffff; } .drawn .network rect { fill: #ffe2c4; }
.drawn .step rect { fill: #e6f3e2; } .drawn .loss rect { fill: #fbdde2; stroke-dasharray: 4 3; }
.drawn text { fill: #111; text-anchor: middle; dominant-baseline: central; }
.drawn .small { font-size: 11px; fill: #445; } .drawn .skip { stroke-dasharray: 5 3; }
.drawn path { stroke: #556; stroke-width: 1.4; fill: none; } .drawn marker path { fill: #556; }
@media (prefers-color-scheme: dark) {
.drawn rect { stroke: #aab; } .drawn .given rect { fill: #23365c; } .drawn .data rect { fill: #222731; }
.drawn .network rect { fill: #5c3d1c; } .drawn .step rect { fill: #24402a; } .drawn .loss rect { fill: #562832; }
.drawn text { fill: #eee; } .drawn .small { fill: #bbc; } .drawn path { stroke: #aab; }
.drawn marker path { fill: #aab; } }
"""


@dataclass(frozen=True)
class Box:
    """A box in a column and a row, both from 0; half steps are allowed.

    kind: of `KINDS`.  title: its name, a symbol first where it has one.  note: a second, smaller line.
    """

    column: float
    row: float
    kind: str
    title: str
    note: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"A box is one of {', '.join(KINDS)}; got {self.kind!r}.")


@dataclass(frozen=True)
class Diagram:
    """Boxes by name, and arrows between them; a title for readers who see no picture.

    "a > b" an arrow; "a ~ b" a skip connection, dashed; "a ^ b" a skip that leaves a upwards or downwards and comes to
    b from the side; "a v b" one that leaves a to the side and comes to b from above or below.
    """

    title: str
    boxes: Mapping[str, Box]
    arrows: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for arrow in self.arrows:
            words = arrow.split(" ")
            if len(words) != 3 or words[1] not in WAYS or not {words[0], words[2]} <= set(self.boxes):
                raise InputError(f"An arrow is 'a > b', with one of {' '.join(WAYS)} between two boxes; got {arrow!r}.")


def drawing_size(diagram: Diagram) -> tuple[int, int]:
    """(width, height) of the drawing in pixels."""
    columns, rows = (1 + max(getattr(box, axis) for box in diagram.boxes.values()) for axis in ("column", "row"))
    return tuple(
        round(n * (side + gap) - gap + 2 * _EDGE) for n, side, gap in zip((columns, rows), _BOX, _GAP, strict=True)
    )


def place(box: Box) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a box in pixels."""
    left, top = (_EDGE + n * (side + gap) for n, side, gap in zip((box.column, box.row), _BOX, _GAP, strict=True))
    return left, top, left + _BOX[0], top + _BOX[1]


def _path_of(start: Box, end: Box, way: str = ">") -> str:
    """The path of an arrow: straight where it can be, else with rounded turns."""
    (l1, t1, r1, b1), (l2, t2, r2, b2) = place(start), place(end)
    x1, y1, x2, y2 = (l1 + r1) / 2, (t1 + b1) / 2, (l2 + r2) / 2, (t2 + b2) / 2
    side = r1 if x2 > x1 else l1
    if way == "^":
        return (
            f"M {x1:.0f} {t1 if y2 < y1 else b1:.0f} Q {x1:.0f} {y2:.0f} {x1 + 40:.0f} {y2:.0f} L {l2 - 2:.0f} {y2:.0f}"
        )
    if way == "v":
        end_y = t2 - 2 if y2 > y1 else b2 + 2
        return f"M {side:.0f} {y1:.0f} L {x2 - 40:.0f} {y1:.0f} Q {x2:.0f} {y1:.0f} {x2:.0f} {end_y:.0f}"
    if start.column == end.column:
        down = y2 > y1
        return f"M {x1:.0f} {b1 if down else t1:.0f} L {x2:.0f} {t2 - 2 if down else b2 + 2:.0f}"
    right = x2 > x1
    x1, x2 = (r1, l2 - 2) if right else (l1, r2 + 2)
    if abs(y1 - y2) < 1:
        return f"M {x1:.0f} {y1:.0f} L {x2:.0f} {y2:.0f}"
    turn = x2 - (_GAP[0] / 2 if right else -_GAP[0] / 2)
    return f"M {x1:.0f} {y1:.0f} C {turn:.0f} {y1:.0f} {turn:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"


def as_svg(diagram: Diagram) -> str:
    """The drawing as the text of an SVG file."""
    width, height = drawing_size(diagram)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'class="drawn" role="img" aria-label="{escape(diagram.title)}">',
        f"<title>{escape(diagram.title)}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M 0 0 L 8 4 L 0 8 z"/></marker></defs>',
    ]
    for arrow in diagram.arrows:
        first, way, last = arrow.split(" ")
        kind = "" if way == ">" else ' class="skip"'
        path = _path_of(diagram.boxes[first], diagram.boxes[last], way)
        lines.append(f'<path{kind} d="{path}" marker-end="url(#head)"/>')
    for box in diagram.boxes.values():
        left, top, right, bottom = place(box)
        x, y = (left + right) / 2, (top + bottom) / 2
        radius = 20 if box.kind == "network" else 5
        lines.append(
            f'<g class="{box.kind}"><rect x="{left:.0f}" y="{top:.0f}" width="{_BOX[0]}" height="{_BOX[1]}" '
            f'rx="{radius}"/>'
        )
        lines.append(f'<text x="{x:.0f}" y="{y - (8 if box.note else 0):.0f}">{escape(box.title)}</text>')
        if box.note:
            lines.append(f'<text class="small" x="{x:.0f}" y="{y + 10:.0f}">{escape(box.note)}</text>')
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])
