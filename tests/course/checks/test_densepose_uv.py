"""Notebook 01: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text, so they are made the way a student makes them, independently of
how the checkers recognise them: (text, replacement, words of the verdict; None: still right).
"""

import pytest
import torch
from posekit_course import checks

from posekit.ops.grids import identity_grid
from posekit.ops.surface import ChartTable, flip_map
from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

PIXEL_GRID = """
def solution(h, w):
    x = (2 * torch.arange(w) + 1) / w - 1
    y = (2 * torch.arange(h) + 1) / h - 1
    return torch.stack((x.expand(h, w), y[:, None].expand(h, w)))
"""
PIXEL_GRID_MUTANTS = [
    ("stack((x.expand(h, w), y[:, None].expand(h, w)))", "stack((y[:, None].expand(h, w), x.expand(h, w)))", "swapped"),
    (
        "x.expand(h, w), y[:, None].expand(h, w)",
        "x[:, None].expand(w, h), y.expand(w, h)",
        "(?i)rows and columns are exchanged",
    ),
    ("(2 * torch.arange(w) + 1) / w - 1", "torch.linspace(-1, 1, w)", "wrong"),  # one axis only: no classic
    (
        "(2 * torch.arange(w) + 1) / w - 1\n    y = (2 * torch.arange(h) + 1) / h - 1",
        "torch.linspace(-1, 1, w)\n    y = torch.linspace(-1, 1, h)",
        "half a pixel off.*align_corners=True",
    ),
    (
        "(2 * torch.arange(w) + 1) / w - 1\n    y = (2 * torch.arange(h) + 1) / h - 1",
        "2 * torch.arange(w) / (w - 1) - 1\n    y = 2 * torch.arange(h) / (h - 1) - 1",
        "half a pixel off.*align_corners=True",
    ),
    (
        "(2 * torch.arange(w) + 1) / w - 1\n    y = (2 * torch.arange(h) + 1) / h - 1",
        "2 * torch.arange(w) / w - 1\n    y = 2 * torch.arange(h) / h - 1",
        "half a pixel off.*left edges",
    ),
    ("2 * torch.arange(w) + 1) / w - 1\n    y = (2 * torch.arange(h) + 1) / h - 1",
     "2 * torch.arange(w) + 2) / w - 1\n    y = (2 * torch.arange(h) + 2) / h - 1", "half a pixel off.*right edges"),
    (
        "(2 * torch.arange(w) + 1) / w - 1\n    y = (2 * torch.arange(h) + 1) / h - 1",
        "torch.arange(w)\n    y = torch.arange(h)",
        "normalisation is missing",
    ),
    ("y[:, None]", "-y[:, None]", "y points up"),
    (".expand(h, w)))", ".expand(h, w)), -1)", "channels come first"),
    (".expand(h, w)))", ".expand(h, w))) / 2 + 0.5", r"range is \[0, 1\]"),
    ("+ 1) / h - 1", "+ 1) / h - 1 + 0 / torch.tensor(float(h - 1))", "NaN is left in"),
    ("return", "None #", "returned nothing"),
    (".expand(h, w)))", ".expand(h, w))).double()", "right, but they are float64 and not float32"),
    (".expand(h, w)))", ".expand(h, w))).numpy()", "right, but they come as a numpy array"),
    (".expand(h, w)))", ".expand(h, w))).tolist()", "right, but they come as a list"),
]  # fmt: skip

IUV_TO_ATLAS = """
def solution(part, u, v, table):
    n = table.shape[1]
    body = part > 0
    column = (u * (n - 1)).nan_to_num(0).round().long()
    row = (v * (n - 1)).nan_to_num(0).round().long()
    uv = table[(part - 1).clamp(min=0), row, column].movedim(-1, 0)
    return torch.where(body, uv, 0)
"""
IUV_TO_ATLAS_MUTANTS = [
    ("row, column]", "column, row]", "Rows are taken for columns"),
    ("movedim(-1, 0)", "flip(-1).movedim(-1, 0)", "u and v are swapped"),
    ("(part - 1).clamp(min=0)", "part.clamp(max=23)", "part index is off by one"),
    ("(part - 1).clamp(min=0)", "part", "off by one"),
    ("torch.where(body, uv, 0)", "uv", "background"),
    ("(part - 1).clamp(min=0)", "(part - 1)", None),  # index -1 is the last part, masked afterwards: still right
    ("torch.where(body, uv, 0)", "torch.where(body, uv, torch.nan)", "NaN is left in"),
    ("torch.where(body, uv, 0)", "uv * body + u * 0", "NaN is left in"),
    (".round()", ".floor()", "round to the nearest node"),
    ("(n - 1)", "n", "multiply by n - 1"),
    ("* (n - 1))", "* n - 0.5)", "take off no half pixel"),
    (
        ".movedim(-1, 0)\n    return torch.where(body, uv, 0)",
        " * body[..., None]\n    return uv",
        "channels come first",
    ),
    ("torch.where(body, uv, 0)", "torch.where(body, uv, 0).double()", "right, but they are float64"),
    ("torch.where(body, uv, 0)", "torch.where(body, uv, 0).numpy()", "right, but they come as a numpy array"),
]

MIRROR_MAP = """
def solution(uv, mask, mirror):
    a = mirror.shape[-1]
    column = ((uv[0] + 1) * a / 2 - 0.5).round().long().clamp(0, a - 1)
    row = ((uv[1] + 1) * a / 2 - 0.5).round().long().clamp(0, a - 1)
    twin = mirror[:, row, column]
    twin = torch.where(mask > 0.5, twin, 0)
    return twin.flip(-1), mask.flip(-1)
"""
MIRROR_MAP_MUTANTS = [
    ("mirror[:, row, column]", "mirror[:, column, row]", "Rows are taken for columns"),
    ("mirror[:, row, column]", "mirror[:, row, column].flip(0)", "u and v are swapped"),
    ("uv[0] + 1) * a / 2 - 0.5", "uv[0] + 1) * a / 2", "wrong"),  # one axis only: no classic
    (" * a / 2 - 0.5", " * a / 2", "half a pixel"),
    (" * a / 2 - 0.5", " * (a - 1) / 2", "half a pixel"),
    (".round()", "", "half a pixel"),
    ("* a / 2 - 0.5).round()", "* a / 2).floor()", None),  # the same lookup in other words: right
    ("twin.flip(-1)", "twin", "picture is not flipped"),
    ("twin.flip(-1)", "twin.flip(-2)", "top to bottom"),
    ("twin = mirror[:, row, column]", "twin = uv", "positions are not mirrored"),
    ("twin = mirror[:, row, column]", "twin = torch.stack((-uv[0], uv[1]))", "u -> -u is not the mirror"),
    ("torch.where(mask > 0.5, twin, 0)", "torch.where(mask > 0.5, twin, torch.nan)", "NaN is left in"),
    ("torch.where(mask > 0.5, twin, 0)", "twin.nan_to_num(0)", "Off the mask the map must be 0"),
    (", mask.flip(-1)", ", mask", "mask is not flipped"),
    (", mask.flip(-1)", "", "Return two tensors"),
    ("return twin", "twin", "returned nothing"),
    ("return twin.flip(-1)", "return twin.flip(-1).double()", "right, but they are float64"),
    (", mask.flip(-1)", ", mask.flip(-1) > 0.5", None),
    (", mask.flip(-1)", ", mask.flip(-1).numpy()", "mask are right, but they come as a numpy array"),
]

CASES = {
    "pixel_grid": (checks.check_pixel_grid, PIXEL_GRID, PIXEL_GRID_MUTANTS),
    "iuv_to_atlas": (checks.check_iuv_to_atlas, IUV_TO_ATLAS, IUV_TO_ATLAS_MUTANTS),
    "mirror_map": (checks.check_mirror_map, MIRROR_MAP, MIRROR_MAP_MUTANTS),
}


def test_accepts_a_bilinear_lookup():
    checks.check_mirror_map(flip_map)
    checks.check_iuv_to_atlas(
        lambda part, u, v, table: ChartTable.from_table(table, 8).to_atlas(part[None], torch.stack((u, v)))[0]
    )


def test_accepts_a_grid():
    checks.check_pixel_grid(identity_grid(3, 4))


@pytest.mark.parametrize("check", [checks.check_iuv_to_atlas, checks.check_mirror_map])
def test_called_function_instead_of_the_function(check):
    with pytest.raises(checks.CheckFailed, match="function itself"):
        check(torch.zeros(2, 3, 3))
