"""Body parts moved each by its own affine map: the deformable skips of Deformable GANs.

For every part k of `posekit.ops.keypoints.BODY_PARTS` the joints give points in both pictures: the corners of its
region, or, for the head, whose square would follow whichever joints are seen, the joints themselves:

    A_k      = the affine map from the target's points to the source's              where to look in the source
    M_k      = the region in the target, 1 inside
    fused(p) = max over k of  M_k(p) activations(A_k p),  and 0                     the warped activations

The sampling direction is backward, so no holes appear.  A limb that is missing in the source takes its twin's corners
there (supplementary, section 3); a part that is missing in the target, or in the source and has no twin, is dropped.

The 0 competes everywhere because each map is 0 outside its region; what follows a skip is a ReLU, so nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

from posekit.ops.affine import DegenerateError, affine_flow, fit_affine
from posekit.ops.grids import identity_grid, resize_mask
from posekit.ops.keypoints import (
    BODY_PARTS,
    HEAD_JOINTS,
    MIRROR_BODY_PARTS,
    SHOULDERS,
    body_part_corners,
    body_part_regions,
)
from posekit.ops.sample import sample
from posekit.util.errors import InputError

# A map that stretches one direction this many times more than another squeezes a part onto a line.
MAX_ANISOTROPY = 1e4

_HEAD = BODY_PARTS.index("head")


@dataclass(frozen=True)
class PartMaps:
    """The ten maps of a batch of pairs, in the order of `posekit.ops.keypoints.BODY_PARTS`.

    | field   | shape    | meaning |
    |---------|----------|---------|
    | matrix  | b 10 2 3 | A_k: target (x, y) -> source (x, y); the identity where the part is dropped |
    | mask    | b 10 h w | M_k: 1 inside the part's region of the target; 0 where the part is dropped |
    | defined | b 10     | True where the part is there |
    | twin    | b 10     | True where the source's twin limb stands in for the part |
    """

    matrix: Float[Tensor, "b 10 2 3"]
    mask: Float[Tensor, "b 10 h w"]
    defined: Bool[Tensor, "b 10"]
    twin: Bool[Tensor, "b 10"]

    def without(self, *parts: str) -> PartMaps:
        """The same maps with some parts, by name, dropped."""
        unknown = [name for name in parts if name not in BODY_PARTS]
        if unknown:
            raise InputError(f"Unknown body part {', '.join(unknown)}; known: {', '.join(BODY_PARTS)}.")
        keep = torch.tensor([name not in parts for name in BODY_PARTS], device=self.mask.device)
        return PartMaps(self.matrix, self.mask * keep[:, None, None], self.defined & keep, self.twin & keep)


def part_maps(
    source: Float[Tensor, "b 18 2"],
    source_visibility: Integer[Tensor, "b 18"],
    target: Float[Tensor, "b 18 2"],
    target_visibility: Integer[Tensor, "b 18"],
    size: tuple[int, int],
) -> PartMaps:
    """Maps and masks from the joints of source and target, (x, y) in [-1, 1], and their visibility, 0 for missing.

    Differentiable in the joints.  ``size`` is the (height, width) in pixels of both pictures.

    | limb in source | twin in source | limb in target | result                       |
    |----------------|----------------|----------------|------------------------------|
    | there          | any            | there          | from the limb                |
    | missing        | there          | there          | from the twin, `twin` is set |
    | missing        | missing        | any            | dropped                      |
    | any            | any            | missing        | dropped                      |

    The head's map is the least-squares fit over the joints of the head that are there in *both* pictures and both
    shoulders, as in the public release of Deformable GANs; its square in the target is the mask alone.  It is dropped
    where no joint of the head is there in both.

    Also dropped: parts whose points lie on one line in either picture, such as the body seen exactly from the side.
    """
    there, in_source = body_part_corners(source, source_visibility, size)
    here, in_target = body_part_corners(target, target_visibility, size)
    there, in_source, twin = _with_twins(there, in_source > 0)
    defined = in_source & (in_target > 0)
    matrix, determined = _fit(here, there, defined)
    head, known = _fit_head(source, source_visibility, target, target_visibility)
    matrix = torch.cat((matrix[:, :_HEAD], head[:, None].to(matrix), matrix[:, _HEAD + 1 :]), 1)
    determined = torch.cat((determined[:, :_HEAD], known[:, None], determined[:, _HEAD + 1 :]), 1)
    defined = defined & determined
    mask = body_part_regions(target, target_visibility, size)[0] * defined[..., None, None]
    identity = torch.eye(2, 3, dtype=matrix.dtype, device=matrix.device)
    return PartMaps(torch.where(defined[..., None, None], matrix, identity), mask, defined, twin & defined)


def warp_parts(activations: Float[Tensor, "b c h w"], maps: PartMaps) -> Float[Tensor, "b 10 c h w"]:
    """Each part alone, M_k(p) activations(A_k p), at the resolution of the activations; 0 beyond their border."""
    size = tuple(activations.shape[-2:])
    masks = resize_mask(maps.mask, size).to(activations.dtype)
    with torch.autocast(activations.device.type, enabled=False):
        x, matrix = _precise(activations, maps)
        moved = [sample(x, affine_flow(matrix[:, k], size)) * masks[:, k, None] for k in range(len(BODY_PARTS))]
    return torch.stack(moved, 1).to(activations.dtype)


def fuse_parts(moved: Float[Tensor, "b 10 c h w"]) -> Float[Tensor, "b c h w"]:
    """The maximum over parts, at least 0.

    >>> moved = torch.full((1, 10, 1, 1, 1), -1.0)
    >>> moved[0, 3], fuse_parts(moved).item()
    (tensor([[[-1.]]]), 0.0)
    """
    return moved.amax(1).clamp(min=0)


def warp_by_parts(activations: Float[Tensor, "b c h w"], maps: PartMaps) -> Float[Tensor, "b c h w"]:
    """fuse_parts(warp_parts(activations, maps)) without ten warped copies.

    Head and limbs cover little of the picture: they are sampled at the pixels inside their masks alone.
    """
    size = tuple(activations.shape[-2:])
    masks = resize_mask(maps.mask, size).to(activations.dtype)
    with torch.autocast(activations.device.type, enabled=False):
        x, matrix = _precise(activations, maps)
        body = sample(x, affine_flow(matrix[:, 0], size)) * masks[:, :1]
        part, pixel, inside = _covered(masks[:, 1:])
        place = identity_grid(*size, dtype=x.dtype, device=x.device).flatten(1).T[pixel]  # b n 2
        own = matrix[:, 1:].gather(1, part[..., None, None].expand(-1, -1, 2, 3))  # b n 2 3
        where = torch.einsum("bnij,bnj->bin", own[..., :2], place) + own[..., 2].mT  # A_k p
        values = sample(x, where[:, :, None])[:, :, 0] * inside[:, None]  # b c n
        index = pixel[:, None].expand_as(values)
        fused = body.clamp(min=0).flatten(2).scatter_reduce(2, index, values, "amax", include_self=True)
    return fused.view_as(activations).to(activations.dtype)


def _precise(activations: Tensor, maps: PartMaps) -> tuple[Tensor, Tensor]:
    """Activations and matrices in one type of at least float32: positions need more digits than half precision."""
    dtype = torch.promote_types(activations.dtype, torch.float32)
    return activations.to(dtype), maps.matrix.to(dtype)


def _covered(masks: Float[Tensor, "b k h w"]) -> tuple[Tensor, Tensor, Tensor]:
    """All (part, pixel) inside the masks, ``b n`` each, and 1 for real ones: items with fewer are filled with 0."""
    pixels = masks.shape[-2] * masks.shape[-1]
    item, entry = masks.flatten(1).nonzero(as_tuple=True)
    count = item.bincount(minlength=len(masks))
    nth = torch.arange(len(item), device=item.device) - (count.cumsum(0) - count)[item]
    n = int(count.max()) if len(item) else 1
    filled = entry.new_zeros(len(masks), n)
    filled[item, nth] = entry
    inside = torch.arange(n, device=item.device) < count[:, None]
    return filled // pixels, filled % pixels, inside.to(masks.dtype)


def _with_twins(corners: Tensor, there: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Corners of missing limbs taken from their twins: corners, which parts are there now, which are twins."""
    mirror = list(MIRROR_BODY_PARTS)
    twin = ~there & there[:, mirror]
    return torch.where(twin[..., None, None], corners[:, mirror], corners), there | twin, twin


def _fit(here: Tensor, there: Tensor, defined: Tensor) -> tuple[Tensor, Tensor]:
    """A_k for every part, and whether its corners determine one; undefined parts get the identity."""
    corners = here.shape[-2]
    weights = torch.ones_like(here[..., 0]).view(-1, corners)
    matrix, good = _fit_some(here.flatten(0, 1), there.flatten(0, 1), weights, defined.flatten())
    return matrix.view(*defined.shape, 2, 3), good.view_as(defined)


def _fit_head(source: Tensor, in_source: Tensor, target: Tensor, in_target: Tensor) -> tuple[Tensor, Tensor]:
    """The head's A, ``b 2 3``, over joints of the head that are there in both and the shoulders; and where it exists.

    A joint counts as in `posekit.ops.keypoints`: not missing, and finite.
    """
    points = [*HEAD_JOINTS, *SHOULDERS]
    both = (in_source > 0) & (in_target > 0) & source.isfinite().all(-1) & target.isfinite().all(-1)
    seen = both[:, list(HEAD_JOINTS)].any(1)
    return _fit_some(target[:, points], source[:, points], both[:, points].to(target.dtype), seen)


def _fit_some(here: Tensor, there: Tensor, weights: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Least-squares maps ``n 2 3`` from points here to points there, and True where wanted and determined.

    Elsewhere the identity.  here, there: ``n p 2``, with weights ``n p``, and 0 for points that are not there.
    """
    square = here.new_tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    square = torch.cat((square, square.new_zeros(here.shape[1] - 4, 2)))
    good = wanted
    while True:
        a, b = (torch.where(good[:, None, None], p, square) for p in (here, there))
        try:
            matrix = fit_affine(a, b, torch.where(good[:, None], weights, 1))
            break
        except DegenerateError as error:
            good = good.clone()
            good[list(error.items)] = False
    stretch = torch.linalg.svdvals(matrix[..., :2].detach())
    return matrix, good & (stretch[:, 0] < MAX_ANISOTROPY * stretch[:, 1])
