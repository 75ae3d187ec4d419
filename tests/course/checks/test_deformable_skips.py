"""Notebook 04: every checker accepts the solution and names each classic mistake.

The mistakes are written into the solution's own text, so they are made the way a student makes them, independently of
how the checkers recognise them: (text, replacement, words of the verdict; None: still right).
"""

from posekit_course import checks

from tests.course.checks.exercise_checkers import (  # noqa: F401
    test_accepts_the_solution,
    test_names_the_mistake,
    test_stub_passes_through,
)

SKIP_BY_E = """
import torch.nn.functional as F


def solution(activations, E, mask):
    h, w = activations.shape[-2:]
    resize = lambda x: F.interpolate(x, size=(h, w), mode="bilinear", align_corners=False)
    weight = resize(mask)
    small = resize(E) / weight.clamp(min=1e-6)
    body = F.interpolate(mask, size=(h, w), mode="nearest-exact") * (weight > 0) > 0.5
    xs, ys = (2 * torch.arange(w) + 1) / w - 1, (2 * torch.arange(h) + 1) / h - 1
    grid = torch.stack([xs.expand(h, w), ys[:, None].expand(h, w)])[None]
    where = torch.where(body, small, grid)
    return F.grid_sample(activations, where.movedim(1, -1), padding_mode="border", align_corners=False)
"""
CENTRES = "xs, ys = (2 * torch.arange(w) + 1) / w - 1, (2 * torch.arange(h) + 1) / h - 1"
LAST = 'return F.grid_sample(activations, where.movedim(1, -1), padding_mode="border", align_corners=False)'
SKIP_BY_E_MUTANTS = [
    ("where = torch.where(body, small, grid)", "where = torch.where(body, small.flip(1), grid)", "swapped"),
    ("where = torch.where(body, small, grid)", "where = small", "identity grid"),
    ("where = torch.where(body, small, grid)", "where = resize(E)", "identity grid"),
    ("where = torch.where(body, small, grid)", "where = torch.where(~body, small, grid)", "upside down"),
    ("where = torch.where(body, small, grid)", "where = torch.where(body, small + grid, grid)", "not a displacement"),
    (LAST, LAST + " * body", "Off the body this is 0"),
    (" / weight.clamp(min=1e-6)", "", "divide the resized E"),
    ("small = resize(E) / weight.clamp(min=1e-6)",
     'small = F.interpolate(E, size=(h, w), mode="nearest-exact")', "resize it bilinearly"),
    (CENTRES, "xs, ys = torch.linspace(-1, 1, w), torch.linspace(-1, 1, h)", "align_corners=True"),
    ('padding_mode="border", align_corners=False', 'padding_mode="border", align_corners=True', "align_corners=True"),
    ('F.interpolate(mask, size=(h, w), mode="nearest-exact") * (weight > 0) > 0.5', "weight > 0", "mask is resized"),
    ('F.interpolate(mask, size=(h, w), mode="nearest-exact") * (weight > 0) > 0.5', "weight > 0.5", "mask is resized"),
    (LAST, "a = F.grid_sample(activations, small.movedim(1, -1), padding_mode='border', align_corners=False)\n"
     "    return weight * a + (1 - weight) * activations", "mask is resized"),
    ('padding_mode="border", ', "", "repeats its edge"),
    (LAST, "return activations", "plain skip"),
    (LAST, "return forward(activations[0], where[0])[None]", "Forward is taken for backward"),
    (LAST, LAST + ".transpose(2, 3)", "Expected|rows"),
    ("weight.clamp(min=1e-6)", "weight", None),  # 0 / 0 off the body, where E is not looked at
]  # fmt: skip

LIMB_MAP = """
def solution(source, target, source_half, target_half):
    def frame(joints, width):
        along = joints[1] - joints[0]
        side = torch.stack((-along[1], along[0])) / along.norm() * width
        return torch.stack((along, side), 1)
    linear = frame(source, source_half) @ frame(target, target_half).inverse()
    shift = source[0] - linear @ target[0]
    return torch.cat((linear, shift[:, None]), 1)
"""
LIMB_MAP_MUTANTS = [
    ("    def frame", "    source, target, source_half, target_half = target, source, target_half, source_half\n"
     "    def frame", "Forward is taken for backward"),
    (" / along.norm() * width", "", "half-widths are forgotten"),
    ("frame(source, source_half) @ frame(target, target_half)",
     "frame(source, target_half) @ frame(target, source_half)", "half-widths are exchanged"),
    ("return torch.stack((along, side), 1)",
     "return torch.stack((along / along.norm(), side / side.norm()), 1)", "stretches are missing"),
    ("shift = source[0] - linear @ target[0]", "shift = torch.zeros(2)", "shift is missing"),
    ("shift = source[0] - linear @ target[0]", "shift = source[0] - target[0]", "moves the joint too"),
    ("linear = frame(source, source_half)", "linear = frame(source, -source_half)", "mirrored"),
    ("linear = frame(source, source_half)", "source = source.flip(0)\n    linear = frame(source, -source_half)",
     "joints are exchanged"),
    ("return torch.cat((linear, shift[:, None]), 1)", "return torch.cat((linear, shift[:, None]), 1).flip(0)",
     "swapped in the rows"),
    ("return torch.cat((linear,", "return torch.cat((linear.T,", "transposed"),
    ("return torch.cat((linear, shift[:, None]), 1)", "return torch.cat((shift[:, None], linear), 1)", "last column"),
    ("torch.stack((-along[1], along[0]))", "torch.stack((along[1], -along[0]))", None),  # the other side, in both
    ("    return torch.cat((linear, shift[:, None]), 1)", "    x = 1", "returned nothing"),
]  # fmt: skip

FUSE = """
def solution(moved, masks):
    fused = torch.zeros_like(moved[0])
    for one, mask in zip(moved, masks):
        fused = torch.maximum(fused, one * mask)
    return fused
"""
FUSE_MUTANTS = [
    ("one * mask", "one", "masks are missing"),
    ("return fused", "return moved.amax(0)", "masks are missing"),
    ("return fused", "return (moved * masks).mean(0)", "This is the mean over parts;"),
    ("return fused", "return (moved * masks).sum(0) / masks.sum(0).clamp(min=1)", "mean over the parts that are there"),
    ("return fused", "return (moved * masks).sum(0)", "sum over parts"),
    ("fused = torch.maximum(fused, one * mask)", "fused = torch.where(mask > 0, one, fused)", "paint over"),
    ("fused = torch.maximum(fused, one * mask)",
     "fused = torch.where((one * mask).abs() > fused.abs(), one, fused)", "largest magnitude"),
    ("return fused",
     "x = torch.where(masks > 0, moved, -torch.inf).amax(0)\n    return torch.where(x.isfinite(), x, 0)",
     "0 takes part"),
    ("return fused", "return torch.where(masks > 0, moved, -torch.inf).amax(0)", "NaN is left in|not finite"),
    ("return fused", "return (moved * masks).amax(1)", "Expected the fused activations of shape"),
    ("return fused", "return (moved * masks).amax((0, 1)).expand_as(fused)", "not over channels"),
    ("return fused", "return (moved * masks).amin(0)", "minimum"),
]  # fmt: skip

SOURCE_PART = """
def solution(in_source, in_target):
    twins = [0, 1, 3, 2, 5, 4, 7, 6, 9, 8]
    chosen = []
    for k, twin in enumerate(twins):
        if not in_target[k]:
            chosen.append(-1)
        elif in_source[k]:
            chosen.append(k)
        elif in_source[twin]:
            chosen.append(twin)
        else:
            chosen.append(-1)
    return chosen
"""
SOURCE_PART_MUTANTS = [
    ("elif in_source[twin]", "elif False", "Twins are missing"),
    ("if not in_target[k]", "if False", "missing in the target is dropped"),
    ("elif in_source[k]:\n            chosen.append(k)\n        elif in_source[twin]:\n            chosen.append(twin)",
     "elif in_source[twin]:\n            chosen.append(twin)\n        elif in_source[k]:\n            chosen.append(k)",
     "Left and right are confused"),
    ("elif in_source[twin]", "elif in_target[twin]", "sought in the target"),
    ("[0, 1, 3, 2, 5, 4, 7, 6, 9, 8]", "[0, 1, 4, 5, 2, 3, 8, 9, 6, 7]", "not the lower arm of the same side"),
    ("[0, 1, 3, 2, 5, 4, 7, 6, 9, 8]", "[1, 0, 3, 2, 5, 4, 7, 6, 9, 8]", "Body and head have no twin"),
    ("        else:\n            chosen.append(-1)", "        else:\n            chosen.append(twin)",
     "missing too is dropped"),
    ("return chosen", "return [int(k >= 0) for k in chosen]", "not a truth value"),
    ("return chosen", "return chosen[:9]", "Expected 10 numbers"),
    ("return chosen", "return None", "returned nothing"),
    ("return chosen", "return torch.tensor(chosen)", None),
]  # fmt: skip

CASES = {
    "skip_by_E": (checks.check_skip_by_E, SKIP_BY_E, SKIP_BY_E_MUTANTS),
    "limb_map": (checks.check_limb_map, LIMB_MAP, LIMB_MAP_MUTANTS),
    "fuse": (checks.check_fuse, FUSE, FUSE_MUTANTS),
    "source_part": (checks.check_source_part, SOURCE_PART, SOURCE_PART_MUTANTS),
}
