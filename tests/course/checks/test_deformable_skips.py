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
FILLED = "torch.where(mask > 0.5, E, F.affine_grid(torch.eye(2, 3)[None], mask.shape, False).movedim(-1, 1))"
SKIP_BY_E_MUTANTS = [
    ("where = torch.where(body, small, grid)", "where = torch.where(body, small.flip(1), grid)", "swapped"),
    ("where = torch.where(body, small, grid)", "where = small", "identity grid"),
    ("where = torch.where(body, small, grid)", "where = resize(E)", "identity grid"),
    ("where = torch.where(body, small, grid)", "where = torch.where(~body, small, grid)", "upside down"),
    ("where = torch.where(body, small, grid)", "where = torch.where(body, small + grid, grid)", "not a displacement"),
    (LAST, LAST + " * body", "Off the body this is 0"),
    (" / weight.clamp(min=1e-6)", "", "divide the resized E"),
    ("small = resize(E) / weight.clamp(min=1e-6)", f"small = resize({FILLED})", "filled with the identity first"),
    ("where = torch.where(body, small, grid)", f"where = resize({FILLED})", "filled with the identity first"),
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
    total, count = torch.zeros_like(moved[0]), torch.zeros_like(masks[0])
    for one, mask in zip(moved, masks):
        total = total + one * mask
        count = count + mask
    return total / count.clamp(min=1)
"""
FUSE_LAST = "return total / count.clamp(min=1)"
LARGEST = "torch.where(masks > 0, moved, -torch.inf).amax(0)"
FUSE_MUTANTS = [
    ("one * mask", "one", "masks are missing in the sum"),
    (FUSE_LAST, "return torch.where(count > 0, moved.sum(0) / count, 0)", "masks are missing in the sum"),
    (FUSE_LAST, "return torch.where(count > 0, moved.mean(0), 0)", "masks are missing in the sum"),
    (FUSE_LAST, "return moved.mean(0)", "The masks are missing: this is the mean over all parts"),
    ("count.clamp(min=1)", "len(moved)", "divides by the number of all parts"),
    (FUSE_LAST, "return total / count", "NaN is left in.*no part covers"),
    (FUSE_LAST, "return total", "This is the sum over parts"),
    (FUSE_LAST, "return (total / count.clamp(min=1)).clamp(min=0)",
     "Negative activations are cut off: the 0 belonged to the maximum"),
    ("one * mask", "(one * mask).clamp(min=0)", "cut off before the mean"),
    (FUSE_LAST, "return (moved * masks).amax(0).clamp(min=0)", "This is the maximum, as in section 3"),
    (FUSE_LAST, "return (moved * masks).amax(0)", "This is the maximum, as in section 3"),
    (FUSE_LAST, "return moved.amax(0)", "This is the maximum, as in section 3"),
    (FUSE_LAST, f"return torch.where(count > 0, {LARGEST}, 0)", "This is the maximum, as in section 3"),
    (FUSE_LAST, f"return {LARGEST}", "NaN is left in|not finite"),
    (FUSE_LAST, "return (moved * masks).max(0)", r"\.max\(0\) gives \(values, indices\)"),
    (FUSE_LAST, "return (moved * masks).amin(0)", "minimum"),
    ("zip(moved, masks)", "zip(moved, masks.flip(0))", "another order than the parts"),
    ("zip(moved, masks)", "zip(moved, masks.roll(1, 0))", "another order than the parts"),
    (FUSE_LAST, "return (moved * masks.flip(0)).sum(0) / count.clamp(min=1)", "another order than the parts"),
    ("count.clamp(min=1)", "(count + 1)", "One too many"),
    ("count.clamp(min=1)", "(count + 1e-3)", "not by that number"),
    ("count.clamp(min=1)", "(count + 1e-6)", None),
    (FUSE_LAST, "return torch.where(count > 0, total / count, moved.mean(0))", "the result is 0; here it is the mean"),
    ("total = total + one * mask", "total = torch.where(mask > 0, one, total)\n        count = 0 * count",
     "paint over"),
    ("total = total + one * mask", "total = torch.where((one * mask).abs() > total.abs(), one, total)\n"
     "        count = 0 * count", "largest magnitude"),
    (FUSE_LAST, "return (moved * masks).sum(1) / 4", "Expected the fused activations of shape"),
    (FUSE_LAST, "return (total / count.clamp(min=1)).mean(0, keepdim=True).expand(3, 6, 7)", "not over channels"),
    ("count.clamp(min=1)", "masks.mean((1, 2, 3)).sum()", "of the whole picture"),
    (FUSE_LAST, "total / count.clamp(min=1)", "returned nothing"),
    (FUSE_LAST, "return torch.where(count > 0, total / count, 0)", None),
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
    ("return chosen", "chosen", "returned nothing"),
    ("chosen.append(-1)", "chosen.append(None)", "a None for .*; a part that is dropped gets the number -1"),
    ("return chosen", "return dict(enumerate(chosen))", "this is a dict"),
    ("return chosen", "return set(chosen)", "this is a set"),
    ("return chosen", "from posekit.ops.keypoints import BODY_PARTS\n    return [BODY_PARTS[k] for k in chosen]",
     "the word 'body' for body; give numbers"),
    ("return chosen", "return (k for k in chosen)", "this generator holds something else"),
    ("return chosen", "return [[k] for k in chosen]", "Expected 10 numbers"),
    ("return chosen", "return [object() for k in chosen]", "this list holds something else"),
    ("return chosen", "return [k + 0.5 for k in chosen]", "entries of the parts of the source are wrong"),
    ("return chosen", "return [float(k) for k in chosen]", None),
]  # fmt: skip

CASES = {
    "skip_by_E": (checks.check_skip_by_E, SKIP_BY_E, SKIP_BY_E_MUTANTS),
    "limb_map": (checks.check_limb_map, LIMB_MAP, LIMB_MAP_MUTANTS),
    "fuse": (checks.check_fuse, FUSE, FUSE_MUTANTS),
    "source_part": (checks.check_source_part, SOURCE_PART, SOURCE_PART_MUTANTS),
}
