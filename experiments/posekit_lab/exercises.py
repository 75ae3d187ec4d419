"""Exercises: where the solution stands in a cell, the student's stub in its place, and back.

In the source, inside a cell tagged `exercise`:

    def pixel_grid(h, w):
        # SOLUTION
        # STUB: # Centres of pixels, not corners: the first x of a row of w pixels is 1 / w - 1.
        # STUB: x = ...
        x = (2 * torch.arange(w) + 1) / w - 1
        ...
        # END SOLUTION

The student gets the text after each `# STUB: `, and a line that raises StillOpen.  The markers are whole lines; what is
outside of them stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from posekit.util.errors import InputError

BEGIN = re.compile(r"^( *)# SOLUTION\s*$")
END = re.compile(r"^ *# END SOLUTION\s*$")
STUB = re.compile(r"^ *# STUB: ?(.*)$")
RAISING = re.compile(r"\braise checks\.StillOpen\((\d+)\)")  # the line of a stub
HERE, THERE = "# YOUR CODE HERE", "# END OF YOUR CODE"


@dataclass(frozen=True)
class Block:
    """One solution in a cell: lines ``first`` to ``last`` (markers included), its indent, stub and body."""

    first: int
    last: int
    indent: str
    stub: tuple[str, ...]
    body: tuple[str, ...]


def solution_blocks(source: str) -> list[Block]:
    """The solutions in a cell's source; InputError for markers that do not pair up or an empty solution."""
    blocks, lines, begin = [], source.split("\n"), None
    for number, line in enumerate(lines):
        if BEGIN.match(line):
            if begin is not None:
                raise InputError(f"`# SOLUTION` in line {number + 1} begins inside the one of line {begin + 1}.")
            begin = number
        elif END.match(line):
            if begin is None:
                raise InputError(f"`# END SOLUTION` in line {number + 1} has no `# SOLUTION` before it.")
            blocks.append(_block(lines, begin, number))
            begin = None
        elif begin is None and STUB.match(line):
            raise InputError(f"`# STUB:` in line {number + 1} stands outside a solution.")
    if begin is not None:
        raise InputError(f"`# SOLUTION` in line {begin + 1} has no `# END SOLUTION`.")
    return blocks


def to_stub(source: str, number: int) -> str:
    """The student's version of a cell: every solution replaced by its stub, which raises StillOpen(number)."""
    lines = source.split("\n")
    for block in reversed(solution_blocks(source)):
        new = [HERE, *block.stub, f"raise checks.StillOpen({number})", THERE]
        lines[block.first : block.last + 1] = [block.indent + line if line else "" for line in new]
    return "\n".join(lines)


def put_solution_back(stub: str, source: str) -> str:
    """The student's cell ``stub`` with the solutions of ``source`` written where the stubs are."""
    lines = stub.split("\n")
    begins = [n for n, line in enumerate(lines) if line.strip() == HERE]
    ends = [n for n, line in enumerate(lines) if line.strip() == THERE]
    solutions = solution_blocks(source)
    if not len(begins) == len(ends) == len(solutions):
        raise InputError(f"Expected {len(solutions)} places `{HERE}` ... `{THERE}` in the cell, got {len(begins)}.")
    for begin, end, block in reversed(list(zip(begins, ends, solutions, strict=True))):
        lines[begin : end + 1] = block.body
    return "\n".join(lines)


def without_markers(source: str) -> str:
    """A cell as a correct student would hand it in: the solution, without markers and stub lines."""
    lines = source.split("\n")
    for block in reversed(solution_blocks(source)):
        lines[block.first : block.last + 1] = block.body
    return "\n".join(lines)


def _block(lines: list[str], first: int, last: int) -> Block:
    indent = BEGIN.match(lines[first]).group(1)
    inner = lines[first + 1 : last]
    stub = tuple(match.group(1) for match in map(STUB.match, inner) if match)
    body = tuple(line for line in inner if not STUB.match(line))
    if not any(line.strip() and not line.strip().startswith("#") for line in body):
        raise InputError(f"The solution that begins in line {first + 1} has no code.")
    return Block(first, last, indent, stub, body)
