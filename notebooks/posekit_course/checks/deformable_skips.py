"""Checkers for the exercises of notebook 04: the skip warped by E, the map of a limb, fusing, and twins.

Each prints a tick or raises CheckFailed with a sentence that names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from posekit.nets.deformable_hourglass import warp_activations
from posekit.ops.affine import compose_affine, fit_affine, invert
from posekit.ops.grids import identity_grid, resize_grid, resize_mask
from posekit.ops.keypoints import BODY_PARTS, MIRROR_BODY_PARTS
from posekit.ops.sample import sample
from posekit.ops.splat import splat
from posekit_course.checks.judging import CheckFailed, Mistake, accept, answer_of, solved


def check_skip_by_E(function: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """`skip_by_E(activations, E, mask)` -> (1, c, h, w): body pixels sample at E, the others stay where they are.

    activations: (1, c, h, w).  E: (1, 2, H, W) and mask: (1, 1, H, W), larger; E is 0 off the body.
    """
    for seed, size in ((1, (6, 8)), (2, (5, 4))):
        activations, E, mask = _warp_example(seed, size)
        _judge_skip(answer_of(function, activations, E, mask), activations, E, mask)
    solved("skip_by_E: E where there is a body, the identity elsewhere, at the size of the activations")


def _warp_example(seed: int, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Activations of ``size``, and E and a mask with a ragged border at four times that size."""
    random = torch.Generator().manual_seed(seed)
    H, W = 4 * size[0], 4 * size[1]
    mask = (F.avg_pool2d(torch.rand(1, 1, H + 2, W + 2, generator=random), 3, stride=1) > 0.47).float()
    x = identity_grid(H, W)[None]
    turned = torch.stack((0.8 * x[:, 0] + 0.3 * x[:, 1] + 0.15, 0.6 * x[:, 1] - 0.4 * x[:, 0] - 0.1), 1)
    return torch.rand(1, 3, *size, generator=random) + 0.2, turned * mask, mask


def _judge_skip(got: object, activations: Tensor, E: Tensor, mask: Tensor) -> None:
    size = tuple(activations.shape[-2:])
    x = identity_grid(*size)[None]
    weight = F.interpolate(mask, size=size, mode="bilinear", align_corners=False)
    whole = resize_grid(E, size)  # of E with its zeros
    small = whole / weight.clamp(min=1e-6)
    body = (resize_mask(mask, size) > 0.5) & (weight > 0)

    def skip(E: Tensor = small, body: Tensor = body, off: Tensor = x, corners: bool = False, **how) -> Tensor:
        where = torch.where(body, E, off)
        if corners:
            return F.grid_sample(activations, where.movedim(1, -1), padding_mode="border", align_corners=True)
        return sample(activations, where, **{"padding": "border"} | how)

    ends = torch.linspace(-1, 1, size[1]), torch.linspace(-1, 1, size[0])
    edges = torch.stack(torch.meshgrid(*ends, indexing="xy"))[None]
    weight_c = F.interpolate(mask, size=size, mode="bilinear", align_corners=True)
    small_c = F.interpolate(E, size=size, mode="bilinear", align_corners=True) / weight_c.clamp(min=1e-6)
    nearest_E = F.interpolate(E, size=size, mode="nearest-exact")
    filled = resize_grid(torch.where(mask > 0.5, E, identity_grid(*mask.shape[-2:])), size)
    swapped = "x and y of E are swapped: channel 0 is x, to the right."
    identity = (
        "Off the body the skip must leave activations where they are (the identity grid); "
        "here E is used there, and its zeros all read the middle of the picture."
    )
    mixed = (
        "E is 0 off the body, and resizing mixes these zeros in at its rim: divide the resized E by the resized mask."
    )
    corners = "align_corners=True: -1 and 1 are the outer edges of the picture, not the outermost centres."
    mistakes = [
        Mistake(swapped, skip(small.flip(1))),
        Mistake(identity, skip(body=torch.ones_like(body))),
        Mistake(identity, skip(whole, body=torch.ones_like(body))),
        Mistake("Off the body this is 0; the activations there stay where they are.", skip() * body),
        Mistake(mixed, skip(whole)),
        *(Mistake("E is filled with the identity first and resized then, which mixes places off the body into its rim: "
                  "resize first, divide by the resized mask, and fill last.", answer)
          for answer in (skip(filled), skip(filled, body=torch.ones_like(body)))),
        Mistake("E is resized by the nearest pixel here; resize it bilinearly.", skip(nearest_E)),
        Mistake(corners, skip(off=edges)),
        Mistake(corners, skip(corners=True)),
        Mistake(corners, skip(off=edges, corners=True)),
        Mistake(corners, skip(small_c)),
        *(
            Mistake("The mask is resized bilinearly; the nearest pixel decides: resize_mask.", answer)
            for answer in (skip(body=weight > 0), skip(body=weight > 0.5), _blend(skip, weight, x))
        ),
        Mistake("The mask is upside down: E is for the body.", skip(body=~body)),
        Mistake("E is a position, not a displacement; do not add the identity grid to it.", skip(small + x)),
        Mistake("Beyond its border the picture repeats its edge here: padding='border'.", skip(padding="zeros")),
        Mistake("These are the activations as they were: a plain skip.", activations),
        Mistake(
            "Forward is taken for backward: this carries activations to E; look them up at E.",
            splat(activations, torch.where(body, small, x), size).values,
        ),
    ]  # fmt: skip
    right = [skip(), warp_activations(activations, E, mask, size)]
    accept(f"the skip of size {size}", got, right[:1], mistakes)


def _blend(skip: Callable[..., Tensor], weight: Tensor, x: Tensor) -> Tensor:
    """Warped and unwarped activations mixed by a bilinear mask."""
    everywhere, nowhere = skip(body=torch.ones_like(weight) > 0), skip(body=torch.ones_like(weight) < 0)
    return weight * everywhere + (1 - weight) * nowhere


def check_limb_map(function: Callable[[Tensor, Tensor, float, float], Tensor]) -> None:
    """`limb_map(source, target, source_half, target_half)` -> A (2, 3): target (x, y, 1) -> source (x, y).

    source, target: (2, 2), the first and the second joint of the limb, (x, y) in a square picture.  Joints go to
    joints, and what lies a half-width to the side goes to what lies a half-width to the same side.
    """
    cases = (
        ([[0.1, -0.5], [0.3, 0.2]], [[-0.4, 0.3], [0.2, 0.5]], 0.2, 0.1),
        ([[-0.6, 0.1], [-0.2, -0.7]], [[0.5, -0.4], [0.4, 0.4]], 0.12, 0.2),
    )
    for source, target, a, b in cases:
        s, t = torch.tensor(source), torch.tensor(target)
        _judge_limb(answer_of(function, s, t, a, b), s, t, a, b)
    solved("limb_map: turn, stretch along, stretch across, shift; from the target to the source")


def _judge_limb(got: object, s: Tensor, t: Tensor, a: float, b: float) -> None:
    def fitted(here: Tensor, there: Tensor, w_here: float, w_there: float, side: int = 1) -> Tensor:
        points = [
            torch.stack((*p, p[0] + k * w * _across(p)))[None]
            for p, w, k in ((here, w_here, 1), (there, w_there, side))
        ]
        return fit_affine(*points)[0]

    right = fitted(t, s, b, a)
    along = (s[1] - s[0]).norm() / (t[1] - t[0]).norm()
    alike = fitted(t, s, 1.0, float(along))  # one stretch for both directions
    stiff = _rigid(t, s, 1.0)
    centred = right.clone()
    centred[:, 2] = s[0] - t[0]
    bare = right.clone()
    bare[:, 2] = 0
    first = torch.cat((right[:, 2:], right[:, :2]), 1)
    mirrored = fitted(t, s, b, a, side=-1)
    ends = fitted(t, s.flip(0), b, a, side=-1)
    mistakes = [
        Mistake(
            "Forward is taken for backward: a skip asks every place of the target where to look in the source, "
            "so A goes from the target's joints to the source's.",
            fitted(s, t, a, b),
        ),
        Mistake("The half-widths are forgotten: across the limb the stretch is source_half / target_half.", alike),
        Mistake(
            "The half-widths are exchanged: across the limb the stretch is source_half / target_half.",
            fitted(t, s, a, b),
        ),
        Mistake("The stretches are missing: this turns and shifts only.", stiff),
        Mistake("The shift is missing: the linear part turns about (0, 0), not about the joint.", bare),
        Mistake("The shift is source - target alone; the linear part moves the joint too: s0 - A t0.", centred),
        Mistake("The limb is mirrored: a half-width to the side must stay on the same side.", mirrored),
        Mistake("The joints are exchanged: the first goes to the first.", ends),
        Mistake("x and y are swapped in the rows.", right.flip(0)),
        Mistake("The linear part is transposed; the map is A (x, y, 1), rows give x and y.", _transposed(right)),
        Mistake("The shift stands in the last column: A (x, y, 1).", first),
    ]
    accept("the map of the limb", got, [right], mistakes)


def _across(joints: Tensor) -> Tensor:
    """The unit vector to the side of a limb: along it, turned by a quarter."""
    along = (joints[1] - joints[0]) / (joints[1] - joints[0]).norm()
    return torch.stack((-along[1], along[0]))


def _rigid(here: Tensor, there: Tensor, scale: float) -> Tensor:
    frames = []
    for joints in (there, here):
        side = _across(joints)
        along = torch.stack((side[1], -side[0]))
        frames.append(torch.cat((torch.stack((scale * along, scale * side), 1), joints[:1].T), 1)[None])
    return compose_affine(frames[0], invert(frames[1]))[0]


def _transposed(matrix: Tensor) -> Tensor:
    return torch.cat((matrix[:, :2].T, matrix[:, 2:]), 1)


def check_fuse(function: Callable[[Tensor, Tensor], Tensor]) -> None:
    """`fuse(moved, masks)` -> (c, h, w): the mean over the parts that cover a pixel, and 0 where none does.

    moved: (k, c, h, w), activations moved by each part's map, not masked yet.  masks: (k, 1, h, w), 1 inside, else 0.
    """
    for seed in (1, 2):
        random = torch.Generator().manual_seed(seed)
        moved = torch.randn(4, 3, 6, 7, generator=random)
        masks = (torch.rand(4, 1, 6, 7, generator=random) < 0.55).float()
        masks[:, :, 0, 0], masks[:, :, 1, 1] = 0, 1
        got = answer_of(function, moved, masks)
        if isinstance(got, tuple) and len(got) == 2:
            raise CheckFailed(
                "You return two things: .max(0) gives (values, indices), and .amax(0) the values alone; here a mean is "
                "asked for."
            )
        right, mistakes = _fused(moved, masks)
        unknown = "; where no part covers the pixel, 0 is divided by 0: the result is 0 there"
        accept("the fused activations", got, [right], mistakes, unknown)
    solved("fuse: the mean over the parts that cover a pixel")


def _fused(moved: Tensor, masks: Tensor) -> tuple[Tensor, list[Mistake]]:
    """The right answer, and those of the classic mistakes."""
    inside, count = moved * masks, masks.sum(0)
    covered = count > 0
    right = inside.sum(0) / count.clamp(min=1)
    last = torch.zeros_like(moved[0])
    for one, mask in zip(moved, masks, strict=True):
        last = torch.where(mask > 0, one, last)
    strongest = inside.gather(0, inside.abs().argmax(0, keepdim=True))[0]
    largest = torch.where(masks > 0, moved, -torch.inf).amax(0)
    unmasked = "The masks are missing in the sum: a part counts inside its region alone."
    all_parts = "This divides by the number of all parts; divide by the number of those that cover the pixel."
    maximum = "This is the maximum, as in section 3; the mean of the parts that cover the pixel is asked for."
    order = "The masks are in another order than the parts: the k-th mask belongs to the k-th part."
    others = [masks.flip(0), masks.roll(1, 0), masks.roll(-1, 0)]
    mistakes = [
        Mistake(all_parts, inside.mean(0)),
        Mistake("The masks are missing: this is the mean over all parts.", moved.mean(0)),
        Mistake(unmasked, moved.sum(0) / count.clamp(min=1)),
        Mistake(unmasked, torch.where(covered, moved.sum(0) / count.clamp(min=1), 0)),
        Mistake(unmasked, torch.where(covered, moved.mean(0), 0)),
        Mistake("This is the sum over parts, brighter where they overlap; divide by the number that cover the pixel.",
                inside.sum(0)),
        Mistake("Negative activations are cut off: the 0 belonged to the maximum of section 3; a mean needs no clamp.",
                right.clamp(min=0)),
        Mistake("Negative activations are cut off before the mean; a mean needs no clamp.",
                inside.clamp(min=0).sum(0) / count.clamp(min=1)),
        *(Mistake(maximum, answer) for answer in (
            inside.amax(0), inside.amax(0).clamp(min=0), moved.amax(0), moved.amax(0).clamp(min=0),
            torch.where(covered, largest, 0), torch.where(covered, largest, 0).clamp(min=0))),
        Mistake("This is the minimum.", inside.amin(0)),
        *(Mistake(order, (moved * other).sum(0) / other.sum(0).clamp(min=1)) for other in others),
        *(Mistake(order, (moved * other).sum(0) / count.clamp(min=1)) for other in others),
        Mistake("One too many is counted: divide by the number of parts, not by one more.",
                inside.sum(0) / (count + 1)),
        *(Mistake(f"Divide by the number of parts, not by that number + {least}.", inside.sum(0) / (count + least))
          for least in (1e-2, 1e-3)),
        Mistake("Where no part covers the pixel the result is 0; here it is the mean over all parts.",
                torch.where(covered, right, moved.mean(0))),
        Mistake("Later parts paint over earlier ones; all that cover the pixel count alike.", last),
        Mistake("The largest magnitude wins here; the mean is asked for.", strongest),
        Mistake("The mean is over parts, not over channels as well.",
                (inside.sum((0, 1)) / (moved.shape[1] * count[0]).clamp(min=1)).expand_as(right)),
        Mistake("The number of covering parts is that of the whole picture; count it at each pixel.",
                inside.sum(0) * masks[0].numel() / masks.sum()),
    ]  # fmt: skip
    return right, mistakes


def check_source_part(function: Callable[[list[bool], list[bool]], list[int]]) -> None:
    """`source_part(in_source, in_target)` -> 10 numbers: which part of the source each part takes, -1 where dropped.

    in_source, in_target: 10 truth values in the order of BODY_PARTS.
    """
    random = torch.Generator().manual_seed(3)
    cases = [([True] * 10, [True] * 10)]
    cases += [tuple((torch.rand(10, generator=random) < 0.6).tolist() for _ in range(2)) for _ in range(6)]
    cases.append(([name not in ("body", "head", "right_lower_arm") for name in BODY_PARTS], [True] * 10))
    right, mistakes = [], {}
    for source, target in cases:
        right.append([_part_of(k, source, target) for k in range(10)])
        for sentence, rule in _WRONG_TWINS.items():
            mistakes.setdefault(sentence, []).append([rule(k, source, target) for k in range(10)])
    got = torch.stack([_numbers(answer_of(function, source, target)) for source, target in cases])
    known = [Mistake(sentence, torch.tensor(answer).double()) for sentence, answer in mistakes.items()]
    accept("the parts of the source", got, [torch.tensor(right).double()], known)
    solved("source_part: its own, else its twin's, else dropped")


def _numbers(answer: object) -> Tensor:
    if answer is None:
        raise CheckFailed("Your function returned nothing; is there a `return`?")
    if isinstance(answer, dict | set | str):
        raise CheckFailed(f"Return a list of 10 numbers in the order of BODY_PARTS; this is a {type(answer).__name__}.")
    if isinstance(answer, list | tuple):
        for name, one in zip(BODY_PARTS, answer, strict=False):
            if one is None:
                raise CheckFailed(f"There is a None for {name}; a part that is dropped gets the number -1.")
            if isinstance(one, str):
                raise CheckFailed(
                    f"There is the word {one!r} for {name}; give numbers of parts: BODY_PARTS.index(...)."
                )
    try:
        numbers = torch.as_tensor(answer)
    except (TypeError, ValueError, RuntimeError):
        raise CheckFailed(
            f"Return a list of 10 whole numbers, one for each part; this {type(answer).__name__} holds something else."
        ) from None
    if numbers.shape != (10,):
        raise CheckFailed(f"Expected 10 numbers, one for each part, got the shape {tuple(numbers.shape)}.")
    return numbers.double()


def _part_of(k: int, source: list[bool], target: list[bool]) -> int:
    twin = MIRROR_BODY_PARTS[k]
    if not target[k]:
        return -1
    return k if source[k] else twin if source[twin] else -1


def _neighbour(k: int) -> int:
    """The other segment of the same limb: upper for lower."""
    name = BODY_PARTS[k]
    if "_" not in name:
        return k
    other = name.replace("upper", "lower") if "upper" in name else name.replace("lower", "upper")
    return BODY_PARTS.index(other)


def _next(k: int) -> int:
    """The twin as one finds it when left and right are taken to alternate from index 0: body and head as a pair."""
    return k ^ 1


_TWIN = MIRROR_BODY_PARTS
_WRONG_TWINS = {
    "Twins are missing: a limb that the source lacks takes its left or right twin there.": lambda k, s, t: (
        k if s[k] and t[k] else -1
    ),
    "A limb that is missing in the target is dropped: there is nowhere to draw it.": lambda k, s, t: (
        k if s[k] else _TWIN[k] if s[_TWIN[k]] else -1
    ),
    "Left and right are confused: every limb takes its twin, though its own part is there.": lambda k, s, t: (
        -1 if not t[k] else _TWIN[k] if s[_TWIN[k]] else k if s[k] else -1
    ),
    "The twin is sought in the target; it must be there in the source.": lambda k, s, t: (
        -1 if not t[k] else k if s[k] else _TWIN[k] if t[_TWIN[k]] else -1
    ),
    "The twin of an upper arm is the other upper arm, not the lower arm of the same side.": lambda k, s, t: (
        -1 if not t[k] else k if s[k] else _neighbour(k) if s[_neighbour(k)] else -1
    ),
    "Body and head have no twin: they are dropped when the source lacks them.": lambda k, s, t: (
        -1 if not t[k] else k if s[k] else _next(k) if s[_next(k)] else -1
    ),
    "A part whose twin is missing too is dropped (-1).": lambda k, s, t: -1 if not t[k] else k if s[k] else _TWIN[k],
    "Give the number of the part that is taken, not a truth value.": lambda k, s, t: int(
        t[k] and (s[k] or s[_TWIN[k]])
    ),
}
